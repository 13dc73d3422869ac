-- +goose Up
CREATE TABLE watches (
    id       TEXT    NOT NULL PRIMARY KEY,
    topic    TEXT    NOT NULL UNIQUE, -- what there is one watch about
    service  TEXT    NOT NULL,
    channel  TEXT    NOT NULL,
    every    INTEGER NOT NULL, -- milliseconds; 0: an alert
    who      TEXT    NOT NULL,
    lang     TEXT    NOT NULL,
    asked    INTEGER NOT NULL, -- milliseconds since 1970, as all times here
    alert    TEXT    NOT NULL, -- as JSON; empty: none
    due      INTEGER NOT NULL, -- 0: nobody waits
    reminded INTEGER NOT NULL DEFAULT 0, -- when a job was last made because the first was lost
    claimed  INTEGER NOT NULL DEFAULT 0, -- until when a run may take; 0: none runs
    version  INTEGER NOT NULL DEFAULT 1,
    memory   TEXT    NOT NULL DEFAULT '{}' -- as JSON
) STRICT;

CREATE INDEX watches_due ON watches (due) WHERE due > 0;

CREATE TABLE suppressions (
    code    TEXT    NOT NULL,
    service TEXT    NOT NULL, -- empty: every service
    owner   TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    ends    INTEGER NOT NULL,
    PRIMARY KEY (code, service)
) STRICT;
