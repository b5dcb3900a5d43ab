-- Grows with each change of the row: by a command, by a reservation, by a delivery. 0 only while it is being made.
ALTER TABLE stock ADD COLUMN revision BIGINT NOT NULL DEFAULT 0 CHECK (revision >= 0);
UPDATE stock SET revision = 1;

-- What callers changed on_hand by, one row for each change; never changed. Their sum is the sku's `adjusted`. What orders
-- took and what suppliers delivered stands in reservations and in supplier_orders.
CREATE TABLE stock_adjustments (
    sku         TEXT    NOT NULL REFERENCES stock (sku),
    -- The sku's revision after it.
    revision    BIGINT  NOT NULL CHECK (revision >= 1),
    delta       BIGINT  NOT NULL CHECK (delta <> 0),
    -- In the caller's words; empty for a count.
    reason      TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    time        BIGINT  NOT NULL,
    PRIMARY KEY (sku, revision)
);
INSERT INTO stock_adjustments (sku, revision, delta, reason, actor, request_id, time)
    SELECT sku, 1, adjusted, 'what was there when adjustments began to be recorded', 'orders', '', 0
    FROM stock WHERE adjusted <> 0;
