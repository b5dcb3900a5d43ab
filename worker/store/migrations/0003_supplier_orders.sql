-- What was ordered from the supplier, because orders lowered the stock below its reorder point.
CREATE TABLE supplier_orders (
    -- Made from the sku and the cause: the same cause never opens a second one.
    supplier_order_id  TEXT    PRIMARY KEY,
    sku                TEXT    NOT NULL REFERENCES stock (sku),
    quantity           BIGINT  NOT NULL CHECK (quantity > 0),
    state              TEXT    NOT NULL CHECK (state IN ('OPEN', 'DELIVERED')),
    -- order/<order_id> of the order that lowered the stock, or supplier_order/<supplier_order_id> of
    -- the delivery that left it low.
    cause              TEXT    NOT NULL,
    open_time          BIGINT  NOT NULL,
    -- When the supplier delivers. None until the supplier was asked, which the process of this sku
    -- does first; so none also means that no process is known to be at it.
    due_time           BIGINT,
    deliver_time       BIGINT,
    CHECK (due_time >= open_time),
    CHECK (deliver_time >= due_time),
    CHECK ((state = 'DELIVERED') = (deliver_time IS NOT NULL)),
    CHECK (deliver_time IS NULL OR due_time IS NOT NULL)
);
-- At most one is open for a sku.
CREATE UNIQUE INDEX supplier_orders_open ON supplier_orders (sku) WHERE state = 'OPEN';
CREATE INDEX supplier_orders_by_open_time ON supplier_orders (open_time, supplier_order_id);
CREATE INDEX supplier_orders_by_sku ON supplier_orders (sku, open_time, supplier_order_id);
