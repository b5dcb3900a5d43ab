-- What people are told becomes an outbox: written with the event, delivered afterwards.
-- recipient stays the customer's id; the audience says who of the three is told.
-- Rows that are here already count as delivered: nobody is to hear of the past.

ALTER TABLE notifications ADD COLUMN audience TEXT NOT NULL DEFAULT 'CUSTOMER'
    CHECK (audience IN ('CUSTOMER', 'REVIEWERS', 'FULFILLMENT'));
-- The order's revision after the event: messages of one order are delivered in this order.
ALTER TABLE notifications ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notifications ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE notifications ADD COLUMN text TEXT NOT NULL DEFAULT '';
ALTER TABLE notifications ADD COLUMN state TEXT NOT NULL DEFAULT 'DELIVERED'
    CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED'));
ALTER TABLE notifications ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0);
-- When it may be tried (again), by the clock on the wall; while it is being tried, when another
-- process may.
ALTER TABLE notifications ADD COLUMN next_time BIGINT NOT NULL DEFAULT 0;
-- When it was tried first; none before that.
ALTER TABLE notifications ADD COLUMN first_time BIGINT;
ALTER TABLE notifications ADD COLUMN last_error TEXT;
ALTER TABLE notifications ADD COLUMN delivered_time BIGINT;

UPDATE notifications SET delivered_time = time;

CREATE INDEX notifications_pending ON notifications (next_time) WHERE state = 'PENDING';
