-- `seq` is given out before its transaction commits, so a reader that goes by it misses what commits later with a smaller one. Ordered by
-- transaction, and read only below the oldest one that still runs (pg_snapshot_xmin), nothing comes in behind a reader's back.
-- Null for what was written before: nobody waits for that.
alter table events add column tx xid8;
alter table events alter column tx set default pg_current_xact_id();
create index events_violation_order on events (tenant, tx, seq) where type = 'violation';
