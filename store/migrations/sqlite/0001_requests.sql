-- +goose Up
CREATE TABLE requests (
    id           TEXT    NOT NULL PRIMARY KEY,
    version      INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    open         INTEGER NOT NULL CHECK (open IN (0, 1)), -- keeps others from its target
    target       TEXT    NOT NULL,
    service      TEXT    NOT NULL,
    requester    TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    asked        INTEGER NOT NULL, -- milliseconds since 1970
    body         TEXT    NOT NULL, -- the whole request as JSON; its hash is in the audit
    opened       INTEGER NOT NULL, -- the first audit entry about it
    noted        INTEGER NOT NULL, -- the last one
    behind       INTEGER NOT NULL DEFAULT 1 CHECK (behind IN (0, 1)), -- its card has not shown that, or there is none
    card_channel TEXT    NOT NULL DEFAULT '',
    card_ts      TEXT    NOT NULL DEFAULT '',
    card_shown   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX requests_open ON requests (target) WHERE open = 1;
CREATE INDEX requests_behind ON requests (asked, opened) WHERE behind = 1;
CREATE INDEX requests_asked ON requests (asked, opened);
CREATE INDEX requests_ended ON requests (state, asked, opened) WHERE open = 0;
CREATE INDEX requests_target ON requests (target, asked, opened);
CREATE INDEX requests_service ON requests (service, asked, opened);
CREATE INDEX requests_requester ON requests (requester, asked, opened);
CREATE INDEX requests_channel ON requests (channel, asked, opened);
CREATE INDEX requests_card ON requests (card_ts) WHERE card_ts <> '';

CREATE TABLE audit (
    number  INTEGER NOT NULL PRIMARY KEY,
    request TEXT    NOT NULL,
    note    TEXT    NOT NULL, -- as JSON, byte for byte as it was hashed
    before  TEXT    NOT NULL,
    hash    TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_request ON audit (request, number);

CREATE TABLE audit_head (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL,
    hash   TEXT    NOT NULL
) STRICT;

INSERT INTO audit_head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- What the last verification found, until somebody acknowledges it.
CREATE TABLE broken (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    body TEXT    NOT NULL
) STRICT;

CREATE TABLE freezes (
    target TEXT    NOT NULL PRIMARY KEY,
    who    TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    since  INTEGER NOT NULL
) STRICT;

CREATE TABLE leases (
    name  TEXT    NOT NULL PRIMARY KEY,
    owner TEXT    NOT NULL,
    ends  INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- +goose StatementEnd
