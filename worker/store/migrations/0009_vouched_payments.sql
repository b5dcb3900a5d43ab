-- When the payment provider is asked next about what a person vouched for: it could not be asked then. None when it
-- has answered, or nobody vouched for anything. Not part of the document: asking in vain is no event of the order.
ALTER TABLE orders ADD COLUMN vouch_time BIGINT;
CREATE INDEX orders_vouched ON orders (vouch_time, order_id) WHERE vouch_time IS NOT NULL;
