-- One row an attempt: one try at one backend. Amounts are whole micro-units of `unit`; units are never added up.
-- The order of commits is the money promise: reserved -> sending (before the first byte leaves) -> accepted
-- (the vendor's ticket) -> settled (after the image is durably stored) | released (nothing charged) | unknown.
CREATE TABLE attempt (
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
  CHECK ((state = 'settled') = (charged IS NOT NULL)),
  CHECK (state <> 'accepted' OR ticket IS NOT NULL)
) STRICT;

-- Two processes that ask for the same sprite share one purchase.
CREATE UNIQUE INDEX one_live_attempt ON attempt (slot) WHERE state IN ('reserved','sending','accepted','unknown');
CREATE INDEX attempt_by_key ON attempt (key, state);
-- Budgets are sums over these; each index covers its sum.
CREATE INDEX spent_by_project ON attempt (project, unit, state, charged, held);
CREATE INDEX spent_by_day ON attempt (day, project, unit, state, charged, held);
CREATE INDEX spent_by_run ON attempt (run, unit, state, charged, held);
CREATE INDEX spent_by_batch ON attempt (batch, unit, state, charged, held) WHERE batch <> '';
