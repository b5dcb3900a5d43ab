-- Times are microseconds since 1970-01-01 UTC; amounts are minor units of the order's currency.

CREATE TABLE orders (
    order_id          TEXT    PRIMARY KEY,
    customer_id       TEXT    NOT NULL,
    policy            TEXT    NOT NULL,
    state             TEXT    NOT NULL,
    close_reason      TEXT,
    revision          BIGINT  NOT NULL CHECK (revision >= 1),
    place_time        BIGINT  NOT NULL,
    update_time       BIGINT  NOT NULL CHECK (update_time >= place_time),
    close_time        BIGINT,
    -- What was asked for, to tell a repeated placing from another one with the same id.
    fingerprint       TEXT    NOT NULL,
    -- Whether Temporal is known to have the workflow; the sweep starts those that it is not known of.
    workflow_started  BIGINT  NOT NULL DEFAULT 0 CHECK (workflow_started IN (0, 1)),
    run_id            TEXT,
    -- The earliest time at which anything is due for the order; long past it, the workflow is to be woken, or
    -- started anew. None when the order waits for a command without end, and once it has closed, nothing is due
    -- and its workflow was seen to end.
    due_time          BIGINT,
    -- The order as it is at this revision, as JSON.
    document          TEXT    NOT NULL,
    CHECK ((close_reason IS NULL) = (state NOT IN ('COMPLETED', 'CANCELLED', 'REJECTED'))),
    CHECK ((close_reason IS NULL) = (close_time IS NULL))
);
CREATE INDEX orders_by_place_time ON orders (place_time, order_id);
CREATE INDEX orders_by_update_time ON orders (update_time, order_id);
CREATE INDEX orders_by_customer ON orders (customer_id, place_time, order_id);
CREATE INDEX orders_by_state ON orders (state, place_time, order_id);
CREATE INDEX orders_by_policy ON orders (policy, place_time, order_id);
CREATE INDEX orders_due ON orders (due_time) WHERE due_time IS NOT NULL;

CREATE TABLE order_events (
    order_id  TEXT    NOT NULL REFERENCES orders (order_id),
    revision  BIGINT  NOT NULL CHECK (revision >= 1),
    type      TEXT    NOT NULL,
    -- The effect or the call of a command that this event is the outcome of: at most one event each.
    effect    TEXT,
    time      BIGINT  NOT NULL,
    -- The event as JSON.
    body      TEXT    NOT NULL,
    PRIMARY KEY (order_id, revision),
    UNIQUE (order_id, effect)
);

-- What was asked under which request_id: the same again is a replay, anything else is refused.
CREATE TABLE requests (
    request_id   TEXT    PRIMARY KEY,
    -- The order id or sku.
    resource     TEXT    NOT NULL,
    fingerprint  TEXT    NOT NULL,
    -- The order's revision that answered it; 0 for stock.
    revision     BIGINT  NOT NULL,
    time         BIGINT  NOT NULL
);

CREATE TABLE payments (
    payment_id  TEXT    PRIMARY KEY,
    order_id    TEXT    NOT NULL UNIQUE REFERENCES orders (order_id),
    currency    TEXT    NOT NULL,
    authorized  BIGINT  NOT NULL DEFAULT 0,
    captured    BIGINT  NOT NULL DEFAULT 0,
    refunded    BIGINT  NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    voided      BIGINT  NOT NULL DEFAULT 0 CHECK (voided IN (0, 1)),
    CHECK (authorized >= captured),
    CHECK (captured >= refunded),
    CHECK (voided = 0 OR captured = 0)
);

-- The payment journal: one row for each movement of money, never changed.
CREATE TABLE payment_entries (
    -- The key of the effect, order_id/effect: the same movement is never made twice.
    key             TEXT    PRIMARY KEY,
    payment_id      TEXT    NOT NULL REFERENCES payments (payment_id),
    kind            TEXT    NOT NULL CHECK (kind IN ('AUTHORIZE', 'CAPTURE', 'CHARGE', 'CONFIRM', 'REFUND', 'VOID')),
    amount          BIGINT  NOT NULL CHECK (amount >= 0),
    transaction_id  TEXT    NOT NULL,
    time            BIGINT  NOT NULL
);
CREATE INDEX payment_entries_by_payment ON payment_entries (payment_id);

CREATE TABLE stock (
    sku            TEXT    PRIMARY KEY,
    on_hand        BIGINT  NOT NULL,
    reserved       BIGINT  NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    reorder_point  BIGINT  NOT NULL DEFAULT 0 CHECK (reorder_point >= 0),
    reorder_level  BIGINT  NOT NULL DEFAULT 0 CHECK (reorder_level >= 0),
    -- Sums of everything that ever changed on_hand: the books must balance.
    adjusted       BIGINT  NOT NULL DEFAULT 0,
    supplied       BIGINT  NOT NULL DEFAULT 0 CHECK (supplied >= 0),
    shipped        BIGINT  NOT NULL DEFAULT 0 CHECK (shipped >= 0),
    CHECK (reserved <= on_hand),
    CHECK (on_hand = adjusted + supplied - shipped)
);

CREATE TABLE reservations (
    order_id  TEXT    NOT NULL REFERENCES orders (order_id),
    sku       TEXT    NOT NULL REFERENCES stock (sku),
    quantity  BIGINT  NOT NULL CHECK (quantity > 0),
    state     TEXT    NOT NULL CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED')),
    PRIMARY KEY (order_id, sku)
);

CREATE TABLE shipments (
    shipment_id      TEXT    PRIMARY KEY,
    order_id         TEXT    NOT NULL UNIQUE REFERENCES orders (order_id),
    carrier          TEXT    NOT NULL,
    tracking_number  TEXT    NOT NULL UNIQUE,
    state            TEXT    NOT NULL CHECK (state IN ('REQUESTED', 'DISPATCHED', 'CANCELLED')),
    -- The address that the carrier was told, as JSON.
    address          TEXT    NOT NULL,
    time             BIGINT  NOT NULL
);

-- What people are to be told, once for each milestone of an order.
CREATE TABLE notifications (
    order_id   TEXT    NOT NULL REFERENCES orders (order_id),
    milestone  TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    time       BIGINT  NOT NULL,
    PRIMARY KEY (order_id, milestone)
);
