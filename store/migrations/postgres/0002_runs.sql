-- +goose Up
CREATE TABLE runs (
    id      text     NOT NULL PRIMARY KEY,
    service text     NOT NULL,
    at      bigint   NOT NULL, -- milliseconds since 1970
    status  text     NOT NULL,
    causes  text     NOT NULL, -- codes, with blanks between them
    source  text     NOT NULL,
    who     text     NOT NULL,
    place   text     NOT NULL,
    since   bigint   NOT NULL, -- milliseconds
    whole   smallint NOT NULL CHECK (whole IN (0, 1)),
    body    text     NOT NULL  -- the whole report as JSON
);

CREATE INDEX runs_service ON runs (service, at, id);
CREATE INDEX runs_at ON runs (at);
