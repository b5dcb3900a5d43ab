-- All events of all orders are one log, in an order in which nobody who follows it misses one: `position` is made of the
-- transaction's number and of the event's place in it, and readers see only what is before the oldest transaction under
-- way. Positions grow for each order, since transactions queue for it before they have a number.
-- (No released version has written to PostgreSQL before this migration: the table is empty.)

-- Added to transaction numbers: a dump that is restored into another server meets smaller ones there.
CREATE TABLE log_offset (
    only_row      BIGINT  PRIMARY KEY CHECK (only_row = 1),
    transactions  BIGINT  NOT NULL CHECK (transactions >= 0)
);
INSERT INTO log_offset (only_row, transactions) VALUES (1, 0);

ALTER TABLE order_events ADD COLUMN position BIGINT NOT NULL;
CREATE UNIQUE INDEX order_events_by_position ON order_events (position);

-- A transaction writes one order, and some tens of events at most.
CREATE FUNCTION next_position() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    first_position  BIGINT;
    free_position   BIGINT;
BEGIN
    SELECT (transactions + pg_current_xact_id()::text::bigint) * 4096 INTO STRICT first_position FROM log_offset;
    SELECT COALESCE(MAX(position) + 1, first_position) INTO free_position FROM order_events
        WHERE position >= first_position AND position < first_position + 4096;
    IF free_position >= first_position + 4096 THEN
        RAISE EXCEPTION 'a transaction has more than 4096 events';
    END IF;
    RETURN free_position;
END
$$;
ALTER TABLE order_events ALTER COLUMN position SET DEFAULT next_position();

-- Every event before this position is final.
CREATE FUNCTION log_end() RETURNS BIGINT LANGUAGE sql STABLE AS $$
    SELECT (transactions + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) * 4096 FROM log_offset
$$;
