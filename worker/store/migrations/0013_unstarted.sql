-- Orders that Temporal is not known to have: counted and started while Temporal is away, however many
-- others there are.

CREATE INDEX orders_unstarted ON orders (due_time, order_id) WHERE workflow_started = 0;
