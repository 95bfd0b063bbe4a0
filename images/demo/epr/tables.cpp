#include "images/demo/epr/tables.h"

#include "images/demo/epr/hash.h"
#include "images/demo/epr/image.h"
#include "images/demo/epr/letter.h"

namespace holdfast::demo {
namespace {

std::uint64_t observation_id(std::uint64_t encounter_id, std::uint64_t index) {
    return (encounter_id - 1) * observations_max + index + 1;
}

/// How many ids a table has that grows by one row at a time.
std::uint64_t last_id(const State& state, Table table) {
    switch (table) {
        case Table::Patients:
            return state.data.patients();
        case Table::Allergies:
            return state.data.allergies() + state.n / allergy_every;
        case Table::Encounters:
        case Table::Observations:
        case Table::Notes:
            return state.data.encounters() + state.n;
        case Table::Letters:
            return state.letters();
        case Table::Images:
            return state.data.images();
        case Table::Ledger:
            return 1;
    }
    return 0;
}

}  // namespace

State State::at(const Dataset& data, std::uint64_t n) {
    State state{data, n, {}};
    for (std::uint64_t k = change_every; k <= n; k += change_every) {
        state.last_change[changed_allergy(data, k)] = k;
    }
    return state;
}

void fill_patient(const Dataset& data, std::uint64_t id, Row& row) {
    const Patient p = patient(data, id);
    row.clear();
    row.add(id).add(p.nhs_number).add(p.family_name).add(p.given_name).add(p.born).add(p.sex);
    row.add(p.address).add(p.postcode).add(p.practice);
}

void fill_allergy(const Dataset& data, std::uint64_t id, std::uint64_t change, Row& row) {
    Allergy a = allergy(data, id);
    if (change != 0) a = changed(data, change, std::move(a));
    row.clear();
    row.add(id).add(a.patient).add(a.substance).add(a.reaction).add(a.severity).add(a.status);
    row.add(a.recorded_on);
    change != 0 ? row.add(change) : row.null();
}

void fill_encounter(const Dataset&, std::uint64_t id, const Encounter& e, Row& row) {
    row.clear();
    row.add(id).add(e.patient).add(e.kind).add(e.ward).add(e.clinician).add(time_text(e.started));
    e.ended != 0 ? row.add(time_text(e.ended)) : row.null();
    row.add(e.reason);
}

void fill_observation(const Dataset& data, std::uint64_t encounter_id, std::uint64_t index,
                      const Encounter& e, Row& row) {
    const Observation o = observation(data, encounter_id, index, e.started);
    row.clear();
    row.add(observation_id(encounter_id, index)).add(encounter_id).add(e.patient);
    row.add(o.code).add(o.label).add(o.unit).add(o.value).add(time_text(o.taken));
}

void fill_note(const Dataset& data, std::uint64_t encounter_id, const Encounter& e, Row& row) {
    row.clear();
    row.add(encounter_id).add(encounter_id).add(e.clinician).add(time_text(e.started));
    row.add(note(data, encounter_id, e));
}

void fill_letter(const Dataset& data, std::uint64_t id, Row& row) {
    const Letter l = letter(data, id);
    const std::string file = render(l);
    row.clear();
    row.add(id).add(l.patient).add(l.encounter).add(l.written_on).add(l.title);
    row.add(format_name(l.format)).add(l.path).add(file.size());
    row.add(fingerprint_of(as_view(file)).hex()).add(l.body);
}

void fill_image(const Dataset& data, std::uint64_t id, Row& row) {
    const Image i = image(data, id);
    const Buffer file = image_file(data, id, i);
    row.clear();
    row.add(id).add(i.patient).add(i.encounter).add(i.taken_on).add(i.study_uid);
    row.add(i.instance_uid).add(i.slice).add(image_rows).add(image_columns).add(i.path);
    row.add(file.size()).add(fingerprint_of(file).hex());
}

bool Rows::next(Row& row) {
    if (table_ == Table::Observations) return next_observation(row);
    if (id_ == last_id(*state_, table_)) return false;
    ++id_;
    const Dataset& data = state_->data;
    switch (table_) {
        case Table::Patients:
            fill_patient(data, id_, row);
            break;
        case Table::Allergies: {
            const auto change = state_->last_change.find(id_);
            fill_allergy(data, id_, change == state_->last_change.end() ? 0 : change->second, row);
            break;
        }
        case Table::Encounters:
            fill_encounter(data, id_, encounter(data, id_), row);
            break;
        case Table::Observations:
            break;
        case Table::Notes:
            fill_note(data, id_, encounter(data, id_), row);
            break;
        case Table::Letters:
            fill_letter(data, id_, row);
            break;
        case Table::Images:
            fill_image(data, id_, row);
            break;
        case Table::Ledger:
            row.clear();
            row.add(std::uint64_t{1}).add(data.seed).add(data.megabytes).add(state_->n);
            break;
    }
    return true;
}

bool Rows::next_observation(Row& row) {
    if (index_ == count_) {
        if (id_ == last_id(*state_, table_)) return false;
        encounter_ = encounter(state_->data, ++id_);
        count_ = observation_count(state_->data, id_);
        index_ = 0;
    }
    fill_observation(state_->data, id_, index_++, encounter_, row);
    return true;
}

}  // namespace holdfast::demo
