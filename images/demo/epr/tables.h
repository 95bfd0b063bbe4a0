// Tables: the database's schema, and the rows it must hold after transaction n.
#pragma once

#include "images/demo/epr/dataset.h"
#include "images/demo/epr/row.h"

#include <array>
#include <map>
#include <string>
#include <string_view>

namespace holdfast::demo {

/// In the order in which foreign keys let them be filled.
enum class Table {
    Patients,
    Allergies,
    Encounters,
    Observations,
    Notes,
    Letters,
    Images,
    Ledger,  // One row: the seed, the megabytes, the last transaction.
};

inline constexpr std::array tables{Table::Patients,     Table::Allergies, Table::Encounters,
                                   Table::Observations, Table::Notes,     Table::Letters,
                                   Table::Images,       Table::Ledger};

std::string_view table_name(Table table);
/// The columns in the order of a Row; the first is `id`, the primary key.
std::string_view table_columns(Table table);

/// CREATE TABLE for all of them, without what would slow the loading down.
std::string_view schema_sql();
/// The primary and foreign keys and the indexes.
std::string_view keys_sql();

/// The state after transaction n, computed from the seed alone.
struct State {
    Dataset data;
    std::uint64_t n;
    std::map<std::uint64_t, std::uint64_t> last_change;  // Of a base allergy, by its id.

    /// Takes time in proportion to n: about 50 ns for each transaction.
    static State at(const Dataset& data, std::uint64_t n);
    std::uint64_t letters() const { return data.letters() + n / letter_every; }
};

void fill_patient(const Dataset& data, std::uint64_t id, Row& row);
/// `change`: the last transaction that changed it; 0 if none did.
void fill_allergy(const Dataset& data, std::uint64_t id, std::uint64_t change, Row& row);
void fill_encounter(const Dataset& data, std::uint64_t id, const Encounter& e, Row& row);
void fill_observation(const Dataset& data, std::uint64_t encounter_id, std::uint64_t index,
                      const Encounter& e, Row& row);
void fill_note(const Dataset& data, std::uint64_t encounter_id, const Encounter& e, Row& row);
void fill_letter(const Dataset& data, std::uint64_t id, Row& row);
void fill_image(const Dataset& data, std::uint64_t id, Row& row);

/// The rows of one table in the order of their ids.
class Rows {
public:
    Rows(const State& state, Table table) : state_(&state), table_(table) {}
    /// False after the last.
    bool next(Row& row);

private:
    bool next_observation(Row& row);
    const State* state_;
    Table table_;
    std::uint64_t id_ = 0;  // Of the row given last; of its encounter, for observations.
    std::uint64_t index_ = 0;
    std::uint64_t count_ = 0;
    Encounter encounter_{};
};

}  // namespace holdfast::demo
