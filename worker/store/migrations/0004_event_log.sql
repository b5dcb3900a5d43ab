-- All events of all orders are one log, in the order of their commits: `position` grows with each event and is never
-- given twice, so whoever follows the log misses nothing. (SQLite has one writer at a time, and gives a row the largest
-- position so far plus one; events are never deleted.)

CREATE TABLE order_events_with_position (
    position  INTEGER PRIMARY KEY,
    order_id  TEXT    NOT NULL REFERENCES orders (order_id),
    revision  BIGINT  NOT NULL CHECK (revision >= 1),
    type      TEXT    NOT NULL,
    -- The effect or the call of a command that this event is the outcome of: at most one event each.
    effect    TEXT,
    time      BIGINT  NOT NULL,
    -- The event as JSON.
    body      TEXT    NOT NULL,
    UNIQUE (order_id, revision),
    UNIQUE (order_id, effect)
);
INSERT INTO order_events_with_position (order_id, revision, type, effect, time, body)
    SELECT order_id, revision, type, effect, time, body FROM order_events ORDER BY rowid;
DROP TABLE order_events;
ALTER TABLE order_events_with_position RENAME TO order_events;
