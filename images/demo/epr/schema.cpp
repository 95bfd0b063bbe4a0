#include "images/demo/epr/tables.h"

namespace holdfast::demo {

std::string_view table_name(Table table) {
    switch (table) {
        case Table::Patients:
            return "patients";
        case Table::Allergies:
            return "allergies";
        case Table::Encounters:
            return "encounters";
        case Table::Observations:
            return "observations";
        case Table::Notes:
            return "notes";
        case Table::Letters:
            return "letters";
        case Table::Images:
            return "images";
        case Table::Ledger:
            return "ledger";
    }
    return {};
}

std::string_view table_columns(Table table) {
    switch (table) {
        case Table::Patients:
            return "id, nhs_number, family_name, given_name, born, sex, address, postcode, "
                   "practice";
        case Table::Allergies:
            return "id, patient_id, substance, reaction, severity, status, recorded_on, changed_by";
        case Table::Encounters:
            return "id, patient_id, kind, ward, clinician, started_at, ended_at, reason";
        case Table::Observations:
            return "id, encounter_id, patient_id, code, label, unit, value, taken_at";
        case Table::Notes:
            return "id, encounter_id, author, written_at, body";
        case Table::Letters:
            return "id, patient_id, encounter_id, written_on, title, format, path, bytes, blake2b, "
                   "body";
        case Table::Images:
            return "id, patient_id, encounter_id, taken_on, study_uid, instance_uid, slice, "
                   "height, "
                   "width, path, bytes, blake2b";
        case Table::Ledger:
            return "id, seed, megabytes, last";
    }
    return {};
}

std::string_view schema_sql() {
    return R"sql(
CREATE TABLE patients (
    id bigint NOT NULL, nhs_number text NOT NULL, family_name text NOT NULL,
    given_name text NOT NULL, born date NOT NULL, sex text NOT NULL, address text NOT NULL,
    postcode text NOT NULL, practice text NOT NULL);
COMMENT ON TABLE patients IS 'Synthetic: no row of this database is about a real person.';
CREATE TABLE allergies (
    id bigint NOT NULL, patient_id bigint NOT NULL, substance text NOT NULL,
    reaction text NOT NULL, severity text NOT NULL, status text NOT NULL,
    recorded_on date NOT NULL, changed_by bigint);
CREATE TABLE encounters (
    id bigint NOT NULL, patient_id bigint NOT NULL, kind text NOT NULL, ward text NOT NULL,
    clinician text NOT NULL, started_at timestamptz NOT NULL, ended_at timestamptz,
    reason text NOT NULL);
CREATE TABLE observations (
    id bigint NOT NULL, encounter_id bigint NOT NULL, patient_id bigint NOT NULL,
    code text NOT NULL, label text NOT NULL, unit text NOT NULL, value numeric(8,1) NOT NULL,
    taken_at timestamptz NOT NULL);
CREATE TABLE notes (
    id bigint NOT NULL, encounter_id bigint NOT NULL, author text NOT NULL,
    written_at timestamptz NOT NULL, body text NOT NULL);
CREATE TABLE letters (
    id bigint NOT NULL, patient_id bigint NOT NULL, encounter_id bigint NOT NULL,
    written_on date NOT NULL, title text NOT NULL, format text NOT NULL, path text NOT NULL,
    bytes bigint NOT NULL, blake2b text NOT NULL, body text NOT NULL);
CREATE TABLE images (
    id bigint NOT NULL, patient_id bigint NOT NULL, encounter_id bigint NOT NULL,
    taken_on date NOT NULL, study_uid text NOT NULL, instance_uid text NOT NULL,
    slice bigint NOT NULL, height bigint NOT NULL, width bigint NOT NULL, path text NOT NULL,
    bytes bigint NOT NULL, blake2b text NOT NULL);
CREATE TABLE ledger (
    id bigint NOT NULL CHECK (id = 1), seed bigint NOT NULL, megabytes bigint NOT NULL,
    last bigint NOT NULL);
)sql";
}

std::string_view keys_sql() {
    return R"sql(
ALTER TABLE patients ADD PRIMARY KEY (id), ADD UNIQUE (nhs_number);
ALTER TABLE encounters ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (patient_id) REFERENCES patients;
ALTER TABLE allergies ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (patient_id) REFERENCES patients;
ALTER TABLE observations ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (encounter_id) REFERENCES encounters,
    ADD FOREIGN KEY (patient_id) REFERENCES patients;
ALTER TABLE notes ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (encounter_id) REFERENCES encounters;
ALTER TABLE letters ADD PRIMARY KEY (id), ADD UNIQUE (path),
    ADD FOREIGN KEY (patient_id) REFERENCES patients,
    ADD FOREIGN KEY (encounter_id) REFERENCES encounters;
ALTER TABLE images ADD PRIMARY KEY (id), ADD UNIQUE (path),
    ADD FOREIGN KEY (patient_id) REFERENCES patients,
    ADD FOREIGN KEY (encounter_id) REFERENCES encounters;
ALTER TABLE ledger ADD PRIMARY KEY (id);
CREATE INDEX ON patients (family_name, given_name);
CREATE INDEX ON allergies (patient_id);
CREATE INDEX ON encounters (patient_id, started_at);
CREATE INDEX ON observations (encounter_id);
CREATE INDEX ON observations (patient_id, code, taken_at);
CREATE INDEX ON notes (encounter_id);
CREATE INDEX ON letters (patient_id, written_on);
CREATE INDEX ON images (study_uid);
ANALYZE;
)sql";
}

}  // namespace holdfast::demo
