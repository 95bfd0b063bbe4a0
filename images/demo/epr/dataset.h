// Dataset: what the demo's records say. Every answer is a pure function of (seed, megabytes, id).
//
// Transaction k (1, 2, 3, ...) of the writer adds encounter `encounters() + k` with its
// observations and its note; every letter_every-th adds a letter, every change_every-th changes
// one of the base allergies, every allergy_every-th adds an allergy. So the state after any
// transaction n can be computed from nothing but (seed, megabytes, n).
//
// All of it is synthetic, and says so: NHS numbers are of the range 999 (never issued, check digit
// right), names begin with XXTEST-, postcodes with ZZ99.
#pragma once

#include "images/demo/epr/draw.h"
#include "vault/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::demo {

constexpr std::uint64_t megabytes_max = 20000;  // 900 000 NHS numbers are enough for this many.
constexpr std::int64_t day_s = 86400;
constexpr std::uint64_t letter_every = 7;
constexpr std::uint64_t change_every = 5;
constexpr std::uint64_t allergy_every = 11;
constexpr std::uint64_t observations_max = 8;  // An encounter's ids are this far apart.
constexpr std::uint64_t slices_max = 20;       // Images in one series.

struct Dataset {
    std::uint64_t seed;
    std::uint64_t megabytes;

    /// Errors: Invalid (no megabytes or over megabytes_max; a seed that PostgreSQL's bigint cannot
    /// hold).
    static Result<Dataset> make(std::uint64_t seed, std::uint64_t megabytes);

    // How many of each are loaded; measured, so that about half of the bytes are in the database
    // with its indexes, a fifth in letters and the rest in images.
    std::uint64_t patients() const { return megabytes * 36; }
    std::uint64_t allergies() const { return megabytes * 30; }
    std::uint64_t encounters() const { return megabytes * 135; }
    std::uint64_t letters() const { return megabytes * 76; }
    std::uint64_t images() const { return (megabytes * 4 + 6) / 7; }
};

struct Patient {
    std::string nhs_number;
    std::string family_name;
    std::string given_name;
    std::string born;  // Dates are as PostgreSQL prints them: 2024-02-29.
    std::string sex;
    std::string address;
    std::string postcode;
    std::string practice;
};

struct Allergy {
    std::uint64_t patient;
    std::string substance;
    std::string reaction;
    std::string severity;
    std::string status;
    std::string recorded_on;
};

struct Encounter {
    std::uint64_t patient;
    std::string kind;
    std::string ward;
    std::string clinician;
    std::int64_t started;  // Seconds since 1970.
    std::int64_t ended;    // 0: not yet.
    std::string reason;
};

struct Observation {
    std::string_view code;
    std::string_view label;
    std::string_view unit;
    std::string value;  // One decimal.
    std::int64_t taken;
};

Patient patient(const Dataset& data, std::uint64_t id);
Allergy allergy(const Dataset& data, std::uint64_t id);
Encounter encounter(const Dataset& data, std::uint64_t id);
std::uint64_t observation_count(const Dataset& data, std::uint64_t encounter_id);
/// The `index`-th (from 0) of an encounter.
Observation observation(const Dataset& data, std::uint64_t encounter_id, std::uint64_t index,
                        std::int64_t started);
/// The text of an encounter's note, about 1 KB.
std::string note(const Dataset& data, std::uint64_t encounter_id, const Encounter& of);

/// What transaction k changes: the base allergy, or 0 if it changes none.
std::uint64_t changed_allergy(const Dataset& data, std::uint64_t k);
/// `was` as transaction k leaves it.
Allergy changed(const Dataset& data, std::uint64_t k, Allergy was);

/// Rows that transaction k adds or changes, the ledger's own not counted.
std::uint64_t rows_of_transaction(const Dataset& data, std::uint64_t k);

/// "2024-02-29" and "2024-02-29 13:05:00+00".
std::string date_text(std::int64_t seconds);
std::string time_text(std::int64_t seconds);

}  // namespace holdfast::demo
