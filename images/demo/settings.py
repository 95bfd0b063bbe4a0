"""The two files that admins write: what the system is (its owner), and how it is started (who runs it)."""

SYSTEM = """\
name = "epr"
title = "Electronic patient record"
supplier = "Pippin Hosting"
contacts = ["Pippin Fort switchboard, 01632 960 000", "Camberwick Green IT on call, 01632 960 111"]
[objectives]
data_age = "15m"
time_to_run = "30m"
[[source]]
name = "database"
kind = "postgres"
host = "{pippin}"
port = 5432
user = "holdfast"
passfile = "{passfile}"
sslmode = "disable"
[[source]]
name = "documents"
kind = "files"
path = "{documents}"
[plan]
runtime = "postgres"
hosts = ["Trumpton"]
[[check]]
name = "every allergy has its patient"
kind = "sql"
source = "database"
query = "select count(*) from allergies a left join patients p on p.id = a.patient_id where p.id is null"
expect = "0"
[[check]]
name = "all content is what it was"
kind = "command"
command = "prove"
[[endpoint]]
name = "database"
source = "database"
port = 5432
relay = "{relay}"
[fence]
kind = "attested"
say = "Is Pippin's server unreachable from every ward, and will it stay so?"
"""

RUNTIME = """\
name = "postgres"
kind = "command"
user = "postgres"
source = "database"
start = ["{postgres}/postgres", "{{postgres_options}}"]
ready = ["{postgres}/pg_isready", "-q", "-h", "{{address}}", "-p", "{{port}}"]
stop_signal = "INT"
stop_seconds = 30
[commands]
prove = ["{epr}", "prove", "--seed", "{seed}", "--megabytes", "{megabytes}",
         "--database", "host={{run}} port={{port}} user=postgres dbname=epr",
         "--documents", "{{mount}}/documents"]
"""
