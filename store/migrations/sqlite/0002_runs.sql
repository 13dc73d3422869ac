-- +goose Up
CREATE TABLE runs (
    id      TEXT    NOT NULL PRIMARY KEY,
    service TEXT    NOT NULL,
    at      INTEGER NOT NULL, -- milliseconds since 1970
    status  TEXT    NOT NULL,
    causes  TEXT    NOT NULL, -- codes, with blanks between them
    source  TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    place   TEXT    NOT NULL,
    since   INTEGER NOT NULL, -- milliseconds
    whole   INTEGER NOT NULL CHECK (whole IN (0, 1)),
    body    TEXT    NOT NULL  -- the whole report as JSON
) STRICT;

CREATE INDEX runs_service ON runs (service, at, id);
CREATE INDEX runs_at ON runs (at);
