-- Money that arrived from outside: one row for each transaction that a caller confirmed, over all orders. The ids that
-- payment providers answer are a namespace of their own, in payment_journal: recording them never fails.

CREATE TABLE payment_receipts (
    -- The payer's name for the transaction, as the caller gave it.
    transaction_id  TEXT    PRIMARY KEY,
    order_id        TEXT    NOT NULL REFERENCES orders (order_id),
    payment_id      TEXT    NOT NULL REFERENCES payments (payment_id),
    -- From 1, without gaps within the order.
    receipt         BIGINT  NOT NULL CHECK (receipt >= 1),
    amount          BIGINT  NOT NULL CHECK (amount > 0),
    currency        TEXT    NOT NULL,
    -- The part that counts towards the order's total. The rest is due to the payer.
    counted         BIGINT  NOT NULL CHECK (counted >= 0),
    time            BIGINT  NOT NULL,
    -- 1 once a payment provider has answered the same id, 2 once the order of this row says so, too.
    disputed        BIGINT  NOT NULL DEFAULT 0 CHECK (disputed IN (0, 1, 2)),
    CHECK (counted <= amount),
    UNIQUE (order_id, receipt)
);
CREATE INDEX payment_receipts_disputed ON payment_receipts (transaction_id) WHERE disputed = 1;

-- Whether a payment provider has answered an id.
CREATE INDEX payment_journal_transactions ON payment_journal (transaction_id)
    WHERE transaction_id IS NOT NULL AND kind <> 'CONFIRM';
