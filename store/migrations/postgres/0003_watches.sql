-- +goose Up
CREATE TABLE watches (
    id       text   NOT NULL PRIMARY KEY,
    topic    text   NOT NULL UNIQUE, -- what there is one watch about
    service  text   NOT NULL,
    channel  text   NOT NULL,
    every    bigint NOT NULL, -- milliseconds; 0: an alert
    who      text   NOT NULL,
    lang     text   NOT NULL,
    asked    bigint NOT NULL, -- milliseconds since 1970, as all times here
    alert    text   NOT NULL, -- as JSON; empty: none
    due      bigint NOT NULL, -- 0: nobody waits
    reminded bigint NOT NULL DEFAULT 0, -- when a job was last made because the first was lost
    claimed  bigint NOT NULL DEFAULT 0, -- until when a run may take; 0: none runs
    version  bigint NOT NULL DEFAULT 1,
    memory   text   NOT NULL DEFAULT '{}' -- as JSON
);

CREATE INDEX watches_due ON watches (due) WHERE due > 0;

CREATE TABLE suppressions (
    code    text   NOT NULL,
    service text   NOT NULL, -- empty: every service
    owner   text   NOT NULL,
    who     text   NOT NULL,
    reason  text   NOT NULL,
    since   bigint NOT NULL,
    ends    bigint NOT NULL,
    PRIMARY KEY (code, service)
);
