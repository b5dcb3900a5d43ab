-- Written to by the health check while nothing else tells whether the database takes writes.
CREATE TABLE write_probe (
    only_row  BIGINT  PRIMARY KEY CHECK (only_row = 1),
    body      TEXT    NOT NULL
);
INSERT INTO write_probe (only_row, body) VALUES (1, '');
