-- The payment journal: before a provider is asked, the intent; afterwards, what came of it. Entries are only added.
-- payments holds its sums. payment_entries is from now on the embedded payment provider's own ledger, as a provider
-- outside would have one: what it moved, under which key.

CREATE TABLE payment_journal (
    payment_id      TEXT    NOT NULL REFERENCES payments (payment_id),
    -- From 1, without gaps.
    entry           BIGINT  NOT NULL CHECK (entry >= 1),
    -- The key of the effect, order_id/effect: the movement that this entry is about.
    key             TEXT    NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('AUTHORIZE', 'CAPTURE', 'CHARGE', 'CONFIRM', 'REFUND', 'VOID')),
    phase           TEXT    NOT NULL CHECK (phase IN
                        ('INTENT', 'SUCCEEDED', 'DECLINED', 'FAILED', 'INDETERMINATE', 'NOT_HAPPENED',
                         'CONFIRMED', 'REFUTED')),
    amount          BIGINT  NOT NULL CHECK (amount >= 0),
    -- The provider's name for it, once it moved.
    transaction_id  TEXT,
    -- Who says so: the process itself, or an operator or caller by name.
    actor           TEXT    NOT NULL,
    -- 1 when only a person says so: the transaction_id is then a text of that person.
    vouched         BIGINT  NOT NULL DEFAULT 0 CHECK (vouched IN (0, 1)),
    -- What it is known by: a provider's words, an operator's evidence.
    evidence        TEXT    NOT NULL DEFAULT '',
    time            BIGINT  NOT NULL,
    PRIMARY KEY (payment_id, entry),
    CHECK ((phase IN ('SUCCEEDED', 'CONFIRMED')) = (transaction_id IS NOT NULL))
);
-- The same movement is never made twice.
CREATE UNIQUE INDEX payment_journal_moved ON payment_journal (key) WHERE phase = 'SUCCEEDED';

INSERT INTO payment_journal (payment_id, entry, key, kind, phase, amount, transaction_id, actor, time)
    SELECT payment_id, ROW_NUMBER() OVER (PARTITION BY payment_id ORDER BY time, key), key, kind, 'SUCCEEDED', amount,
           transaction_id, 'orders', time
    FROM payment_entries;
