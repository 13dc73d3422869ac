-- +goose Up
CREATE TABLE requests (
    id           text     NOT NULL PRIMARY KEY,
    version      bigint   NOT NULL,
    state        text     NOT NULL,
    open         smallint NOT NULL CHECK (open IN (0, 1)), -- keeps others from its target
    target       text     NOT NULL,
    service      text     NOT NULL,
    requester    text     NOT NULL,
    channel      text     NOT NULL,
    asked        bigint   NOT NULL, -- milliseconds since 1970
    body         text     NOT NULL, -- the whole request as JSON; its hash is in the audit
    opened       bigint   NOT NULL, -- the first audit entry about it
    noted        bigint   NOT NULL, -- the last one
    behind       smallint NOT NULL DEFAULT 1 CHECK (behind IN (0, 1)), -- its card has not shown that, or there is none
    card_channel text     NOT NULL DEFAULT '',
    card_ts      text     NOT NULL DEFAULT '',
    card_shown   bigint   NOT NULL DEFAULT 0
) WITH (fillfactor = 70); -- a vote changes no index: its row finds room on the same page

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
    number  bigint NOT NULL PRIMARY KEY,
    request text   NOT NULL,
    note    text   NOT NULL, -- as JSON, byte for byte as it was hashed
    before  text   NOT NULL,
    hash    text   NOT NULL
);

CREATE INDEX audit_request ON audit (request, number);

CREATE TABLE audit_head (
    one    smallint NOT NULL PRIMARY KEY CHECK (one = 1),
    number bigint   NOT NULL,
    hash   text     NOT NULL
);

INSERT INTO audit_head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- What the last verification found, until somebody acknowledges it.
CREATE TABLE broken (
    one  smallint NOT NULL PRIMARY KEY CHECK (one = 1),
    body text     NOT NULL
);

CREATE TABLE freezes (
    target text   NOT NULL PRIMARY KEY,
    who    text   NOT NULL,
    reason text   NOT NULL,
    since  bigint NOT NULL
);

CREATE TABLE leases (
    name  text   NOT NULL PRIMARY KEY,
    owner text   NOT NULL,
    ends  bigint NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
