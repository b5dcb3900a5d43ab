-- How many signals of the order were refused. Only the first refusal of each kind is an event, so that nobody can make an
-- order's log grow without limit.
ALTER TABLE orders ADD COLUMN refused_signals BIGINT NOT NULL DEFAULT 0 CHECK (refused_signals >= 0);
