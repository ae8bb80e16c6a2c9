-- One row an attempt: one try at one backend. Amounts are whole micro-units of `unit`; units are never added up.
-- The order of commits is the money promise: reserved -> sending (before the first byte leaves) -> accepted
-- (the vendor's ticket) -> settled (after the image is durably stored) | released (nothing charged) | unknown.
CREATE TABLE IF NOT EXISTS attempt (
  id             TEXT PRIMARY KEY,
  key            TEXT NOT NULL,                 -- generation key: what was asked, of whom
  slot           TEXT NOT NULL,                 -- the key; a deliberate second purchase has a slot of its own
  backend        TEXT NOT NULL,
  model          TEXT,
  state          TEXT NOT NULL CHECK (state IN ('reserved','sending','accepted','settled','released','unknown')),
  unit           TEXT NOT NULL,
  held           INTEGER NOT NULL CHECK (held >= 0),
  charged        INTEGER CHECK (charged >= 0),
  cost_source    TEXT NOT NULL CHECK (cost_source IN ('reported','quoted','listed','unknown')),
  seed           INTEGER NOT NULL,
  body           TEXT NOT NULL DEFAULT '',      -- hash of the exact bytes sent, so that a resend is the same request
  ticket         TEXT,
  vendor_request TEXT,
  raws           TEXT NOT NULL DEFAULT '[]',    -- content hashes in the store
  error_type     TEXT,
  error          TEXT,
  prompt         TEXT NOT NULL,
  wish           TEXT NOT NULL DEFAULT '{}',    -- the request as JSON, to finish a job that another process began
  owner          TEXT NOT NULL,                 -- the router that works on it; its lock file tells whether it lives
  run            TEXT NOT NULL,
  batch          TEXT NOT NULL,
  project        TEXT NOT NULL,
  day            TEXT NOT NULL,                 -- UTC date of the reservation
  created_at     REAL NOT NULL,
  updated_at     REAL NOT NULL,
  quoted         INTEGER NOT NULL,              -- what it was expected to cost; `held` goes to 0 where the bill is in another unit
  quoted_unit    TEXT NOT NULL,
  quoted_source  TEXT NOT NULL,
  unit_price     INTEGER,                       -- of one billable unit, in micro-units of quoted_unit
  delivery       TEXT NOT NULL DEFAULT '{}',    -- names and notes of the raws, as JSON
  sent_at        REAL,                          -- when its bytes were let go
  ticket_id      TEXT,                          -- the vendor's name for the job
  retry_at       REAL,                          -- a refusal's "not before"
  asset          TEXT NOT NULL DEFAULT '',      -- what it is for, in the caller's words
  tags           TEXT NOT NULL DEFAULT '[]',    -- more of them, as JSON
  style_group    TEXT NOT NULL DEFAULT '',      -- the set of sprites that it belongs to
  evidence       TEXT NOT NULL DEFAULT '{}',    -- how a lost outcome was found out, and how surely, as JSON
  CHECK ((state = 'settled') = (charged IS NOT NULL)),
  CHECK (state <> 'accepted' OR ticket IS NOT NULL)
) STRICT;

-- Two processes that ask for the same sprite share one purchase.
CREATE UNIQUE INDEX IF NOT EXISTS one_live_attempt ON attempt (slot) WHERE state IN ('reserved','sending','accepted','unknown');
CREATE INDEX IF NOT EXISTS attempt_by_key ON attempt (key, state);
-- Budgets are sums over these; each index covers its sum.
CREATE INDEX IF NOT EXISTS spent_by_project ON attempt (project, unit, state, charged, held);
CREATE INDEX IF NOT EXISTS spent_by_day ON attempt (day, project, unit, state, charged, held);
CREATE INDEX IF NOT EXISTS spent_by_run ON attempt (run, unit, state, charged, held);
CREATE INDEX IF NOT EXISTS spent_by_batch ON attempt (batch, unit, state, charged, held) WHERE batch <> '';
CREATE INDEX IF NOT EXISTS attempt_by_backend ON attempt (backend, created_at);
-- Who may send now: what was sent lately, and what is under way.
CREATE INDEX IF NOT EXISTS attempt_by_sending ON attempt (backend, sent_at);
CREATE INDEX IF NOT EXISTS attempt_under_way ON attempt (backend) WHERE state IN ('reserved','sending','accepted');

-- Which backend draws a set of sprites: they should look alike.
CREATE TABLE IF NOT EXISTS binding (
  project        TEXT NOT NULL,
  style_group    TEXT NOT NULL,
  task           TEXT NOT NULL,
  backend        TEXT NOT NULL,
  model          TEXT,
  bound_at       REAL NOT NULL,
  delivered_at   REAL,                          -- when its first image was there; until then it may change
  PRIMARY KEY (project, style_group, task)
) STRICT;

-- What vendors said was left on an account: the difference of two tells what a lost answer cost.
CREATE TABLE IF NOT EXISTS balance (
  backend        TEXT NOT NULL,
  account        TEXT NOT NULL,                 -- fingerprint of the key
  unit           TEXT NOT NULL,
  micros         INTEGER NOT NULL,
  read_at        REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS balance_by_account ON balance (backend, account, unit, read_at);

-- Who works on attempts, where several machines share a ledger: a lease that its holder renews until it dies.
CREATE TABLE IF NOT EXISTS worker (
  id             TEXT PRIMARY KEY,
  host           TEXT NOT NULL,
  process        INTEGER NOT NULL,
  until          REAL NOT NULL
) STRICT;

-- The images themselves, where several machines share a ledger; a ledger in a file has a folder of them beside it.
CREATE TABLE IF NOT EXISTS raw (
  digest         TEXT PRIMARY KEY,              -- SHA-256 of the content, in hex
  data           BLOB NOT NULL
) STRICT;
