-- From when on the order is one for operators: a step failed as often as the policy tolerates, or nobody has known for
-- long what became of its payment. In the future for a payment that became unknown just now. None otherwise, and once
-- the order is closed. Written with each change of the order; an order that is in trouble fails again within minutes,
-- so the rows from before this migration are right by then.
ALTER TABLE orders ADD COLUMN attention_time BIGINT;
CREATE INDEX orders_attention ON orders (attention_time, order_id) WHERE attention_time IS NOT NULL;
