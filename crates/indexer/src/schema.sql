-- Portable but for STRICT and the types: in PostgreSQL INTEGER is BIGINT. Numbers of 64 bits and more are text, in
-- decimal digits: they are never computed with here. Times are Unix seconds.

-- One row: which chain this is, and how far it was read.
CREATE TABLE chain (
    genesis TEXT NOT NULL,
    program TEXT NOT NULL,
    market TEXT NOT NULL,
    -- The first slot that the node had when the first look was taken: what was before is not known.
    since INTEGER NOT NULL,
    -- The newest transaction before which, and with which, everything final was read; and the final one before it.
    cursor_signature TEXT,
    cursor_slot INTEGER,
    cursor_ordinal INTEGER,
    floor_signature TEXT,
    -- Final transactions that the node has listed and that are still to be read.
    backlog INTEGER NOT NULL DEFAULT 0,
    -- The newest final slot at the last look that found out everything, and when that was.
    finalized_slot INTEGER NOT NULL DEFAULT 0,
    looked_at INTEGER NOT NULL DEFAULT 0,
    -- What went wrong since.
    problem TEXT
) STRICT;

CREATE TABLE transactions (
    signature TEXT PRIMARY KEY,
    slot INTEGER NOT NULL,
    -- Its number among the transactions of its slot that name the program, from 0.
    ordinal INTEGER NOT NULL,
    time INTEGER,
    -- 0 while it may vanish.
    final INTEGER NOT NULL
) STRICT;
CREATE INDEX tentative_transactions ON transactions (slot) WHERE final = 0;

CREATE TABLE events (
    signature TEXT NOT NULL REFERENCES transactions ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (signature, position)
) STRICT;

-- Whom an event concerns: every account that it names, and its market.
CREATE TABLE mentions (
    account TEXT NOT NULL,
    slot INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    position INTEGER NOT NULL,
    signature TEXT NOT NULL REFERENCES transactions ON DELETE CASCADE,
    kind TEXT NOT NULL,
    PRIMARY KEY (account, slot, ordinal, position, signature)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_by_kind ON mentions (account, kind, slot, ordinal, position);
CREATE INDEX mentions_by_signature ON mentions (signature);

-- Which market a vault or a reserve is of, and the transaction that said so.
CREATE TABLE members (
    account TEXT NOT NULL,
    signature TEXT NOT NULL REFERENCES transactions ON DELETE CASCADE,
    market TEXT NOT NULL,
    PRIMARY KEY (account, signature)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_signature ON members (signature);

-- What is not known: of a transaction, or between two slots.
CREATE TABLE gaps (
    kind TEXT NOT NULL,
    signature TEXT REFERENCES transactions ON DELETE CASCADE,
    from_slot INTEGER NOT NULL,
    to_slot INTEGER NOT NULL,
    found_at INTEGER NOT NULL
) STRICT;
CREATE INDEX gaps_by_signature ON gaps (signature);

-- What the reserves were like.
CREATE TABLE samples (
    reserve TEXT NOT NULL,
    time INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    -- 0 when nobody looked for a while before.
    joined INTEGER NOT NULL,
    supplied TEXT NOT NULL,
    borrowed TEXT NOT NULL,
    -- Fractions of 60 bits.
    utilization TEXT NOT NULL,
    supply_yield TEXT NOT NULL,
    borrow_yield TEXT NOT NULL,
    haircut TEXT NOT NULL,
    haircut_target TEXT NOT NULL,
    -- Dollars per native unit, 96 fractional bits; none when no price was good enough.
    price TEXT,
    PRIMARY KEY (reserve, time)
) STRICT, WITHOUT ROWID;
