-- What a program could reach outside of its sandbox: who gave it, what was asked for, which secrets (their names) it could use.
-- Null: nothing.
alter table runs add column network json;
alter table sessions add column network json;
