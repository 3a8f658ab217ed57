-- Roles, schemas and their fences, for one database. Repeatable; run by psql as a superuser:
--   natively by infra/local, in a container from /docker-entrypoint-initdb.d.
-- Passwords come from the environment (PAYMENTS_DB_PASSWORD, …), so they are in no process listing.
\set ON_ERROR_STOP on
\set QUIET on
-- Statements that carry a password must not be kept by the server in any form.
SET client_min_messages = warning;
SET log_min_error_statement = panic;
SET log_statement = 'none';
SET pg_stat_statements.track_utility = off;
-- Two copies started at once take turns: CREATE ROLE is for the whole cluster.
SELECT pg_advisory_lock(7305002) \g /dev/null

\getenv payments_password PAYMENTS_DB_PASSWORD
\getenv processor_password PROCESSOR_DB_PASSWORD
\getenv bank_password BANK_DB_PASSWORD
\getenv refunds_password REFUNDS_DB_PASSWORD
\getenv webhooks_password WEBHOOKS_DB_PASSWORD
\getenv dashboard_password DASHBOARD_DB_PASSWORD

CREATE TEMPORARY TABLE owner (role name, password text);
INSERT INTO owner VALUES
    ('payments', :'payments_password'), ('processor', :'processor_password'), ('bank', :'bank_password'),
    ('refunds', :'refunds_password'), ('webhooks', :'webhooks_password'), ('dashboard', :'dashboard_password');

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role)
FROM owner WHERE role NOT IN (SELECT rolname FROM pg_roles) \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', role, password) FROM owner \gexec
SELECT format('ALTER ROLE %I SET search_path = %I', role, role) FROM owner \gexec
SELECT format('ALTER ROLE %I SET %s', role, setting)
FROM owner, (VALUES
    ($$timezone = 'UTC'$$),
    -- A statement of a service takes milliseconds; what takes longer is stuck and must give its connection back.
    ($$statement_timeout = '15s'$$),
    ($$lock_timeout = '5s'$$),
    ($$idle_in_transaction_session_timeout = '10s'$$)
) AS fence (setting) \gexec

-- A role sees its own schema and nothing else: PUBLIC may not even connect.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role) FROM owner \gexec
SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', role, role) FROM owner \gexec
SELECT format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', role) FROM owner \gexec

SELECT 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'
WHERE current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' \gexec
DROP TABLE owner;
SELECT pg_advisory_unlock(7305002) \g /dev/null
