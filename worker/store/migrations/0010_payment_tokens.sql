-- Payment tokens. They are worth money: an order, its events and its workflow hold none. A token is kept from the
-- placing until no authorization or charge can be due any more, and is read by the payment activity only.
CREATE TABLE payment_tokens (
    payment_id   TEXT    PRIMARY KEY REFERENCES payments (payment_id),
    customer_id  TEXT    NOT NULL,
    token        TEXT    NOT NULL
);

-- Whose a token is, also after it was deleted: a token that one customer has paid with is refused for any other.
CREATE TABLE payment_token_owners (
    -- A hash of the token with the salt of this database.
    token_hash   TEXT    PRIMARY KEY,
    customer_id  TEXT    NOT NULL
);

CREATE TABLE payment_token_salt (
    salt  TEXT    NOT NULL
);
INSERT INTO payment_token_salt (salt) VALUES (lower(hex(randomblob(32))));

-- What the embedded provider plays for the payment, as its test token asked: a refund comes after the token is gone.
ALTER TABLE payment_entries ADD COLUMN plays TEXT NOT NULL DEFAULT '';
