#include "images/demo/epr/dataset.h"

#include "images/demo/epr/words.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

namespace holdfast::demo {
namespace {

constexpr std::int64_t base_from = 1546300800;   // 2019-01-01: the loaded records' first day.
constexpr std::int64_t base_days = 6 * 365 + 1;  // They end before the writer's begin.
constexpr std::int64_t live_from = 1736121600;   // 2025-01-06: transaction 0.
constexpr std::int64_t live_step_s = 40;         // Between two transactions, in record time.

struct Measure {
    std::string_view code;
    std::string_view label;
    std::string_view unit;
    int low;  // In tenths.
    int high;
};
constexpr std::array<Measure, 14> measures{{
    {"8310-5", "Body temperature", "Cel", 355, 394},
    {"8867-4", "Heart rate", "/min", 480, 1300},
    {"9279-1", "Respiratory rate", "/min", 110, 280},
    {"59408-5", "Oxygen saturation", "%", 880, 1000},
    {"8480-6", "Systolic blood pressure", "mm[Hg]", 900, 1900},
    {"8462-4", "Diastolic blood pressure", "mm[Hg]", 500, 1100},
    {"29463-7", "Body weight", "kg", 410, 1290},
    {"2951-2", "Sodium", "mmol/L", 1280, 1480},
    {"2823-3", "Potassium", "mmol/L", 29, 61},
    {"14682-9", "Creatinine", "umol/L", 450, 2400},
    {"718-7", "Haemoglobin", "g/L", 780, 1690},
    {"6690-2", "White cell count", "10*9/L", 32, 189},
    {"1988-5", "C-reactive protein", "mg/L", 5, 2100},
    {"14749-6", "Glucose", "mmol/L", 38, 187},
}};

/// Digits of an NHS number without its last: weights 10 to 2; modulo 11.
std::uint64_t check_digit(std::uint64_t nine_digits) {
    std::uint64_t sum = 0;
    for (std::uint64_t weight = 2; weight <= 10; ++weight, nine_digits /= 10) {
        sum += weight * (nine_digits % 10);
    }
    return (11 - sum % 11) % 11;
}

/// One number of the range 999 for each patient, all different. Of the ten possible ninth digits
/// at most one has no valid check digit (10), so nine patients share each run of eight digits.
std::string nhs_number(const Dataset& data, std::uint64_t id) {
    const std::uint64_t start = Draw(data.seed, Kind::Numbering, 0).below(100000);
    const std::uint64_t run = 99900000 + ((id - 1) / 9 * 7919 + start) % 100000;
    std::uint64_t skip = (id - 1) % 9;
    for (std::uint64_t ninth = 0; ninth < 10; ++ninth) {
        const std::uint64_t number = run * 10 + ninth;
        const std::uint64_t check = check_digit(number);
        if (check == 10) continue;
        if (skip-- == 0) return std::to_string(number * 10 + check);
    }
    HF_ASSERT(false);
    return {};
}

}  // namespace

Result<Dataset> Dataset::make(std::uint64_t seed, std::uint64_t megabytes) {
    if (megabytes == 0 || megabytes > megabytes_max) {
        return Error{Errc::Invalid, "megabytes: " + std::to_string(megabytes) + ", where 1 to " +
                                        std::to_string(megabytes_max) + " are possible"};
    }
    if (seed > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        return Error{Errc::Invalid, "seed: it must be below 2^63"};
    }
    return Dataset{seed, megabytes};
}

std::string date_text(std::int64_t seconds) {
    return time_text(seconds).substr(0, 10);
}

std::string time_text(std::int64_t seconds) {
    using namespace std::chrono;
    const std::int64_t days = seconds / day_s;  // Nothing here is before 1900; floor for births.
    const std::int64_t floor = seconds % day_s < 0 ? days - 1 : days;
    const year_month_day date{sys_days{std::chrono::days{floor}}};
    const auto rest = static_cast<int>(seconds - floor * day_s);
    std::array<char, 64> out{};
    std::snprintf(out.data(), out.size(), "%04d-%02u-%02u %02d:%02d:%02d+00",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), rest / 3600, rest / 60 % 60, rest % 60);
    return out.data();
}

Patient patient(const Dataset& data, std::uint64_t id) {
    Draw draw(data.seed, Kind::Patient, id);
    Patient p;
    p.nhs_number = nhs_number(data, id);
    p.family_name = "XXTEST-" + phrase('F', draw);
    p.given_name = phrase('G', draw);
    p.born = date_text(base_from - draw.between(1, 95 * 365) * day_s);
    p.sex = draw.one_in(2) ? "female" : "male";
    // One draw a statement: the operands of + may be evaluated in any order.
    p.address = std::to_string(draw.between(1, 140));
    expand(" {S}, {v}", draw, p.address);
    p.postcode = "ZZ99 ";
    expand("#", draw, p.postcode);
    for (int i = 0; i < 2; ++i) p.postcode.push_back(static_cast<char>('A' + draw.below(26)));
    p.practice = phrase('v', draw) + " Surgery";
    return p;
}

Allergy allergy(const Dataset& data, std::uint64_t id) {
    Draw draw(data.seed, Kind::Allergy, id);
    Allergy a;
    a.patient = 1 + draw.below(data.patients());
    a.substance = phrase('A', draw);
    a.reaction = phrase('R', draw);
    a.severity = phrase('V', draw);
    a.status = phrase('U', draw);
    const bool live = id > data.allergies();
    const auto k = static_cast<std::int64_t>((id - data.allergies()) * allergy_every);
    a.recorded_on = date_text(live ? live_from + k * live_step_s
                                   : base_from + draw.between(0, base_days - 1) * day_s);
    return a;
}

std::uint64_t changed_allergy(const Dataset& data, std::uint64_t k) {
    if (k % change_every != 0) return 0;
    return 1 + Draw(data.seed, Kind::AllergyChange, k).below(data.allergies());
}

Allergy changed(const Dataset& data, std::uint64_t k, Allergy was) {
    Draw draw(data.seed, Kind::AllergyChange, k);
    draw.next();  // That one chose the allergy.
    was.reaction = phrase('R', draw);
    was.severity = phrase('V', draw);
    was.status = phrase('U', draw);
    return was;
}

Encounter encounter(const Dataset& data, std::uint64_t id) {
    Draw draw(data.seed, Kind::Encounter, id);
    Encounter e;
    e.patient = 1 + draw.below(data.patients());
    e.kind = phrase('K', draw);
    e.ward = phrase('w', draw);
    e.clinician = phrase('k', draw);
    const bool live = id > data.encounters();
    const auto k = static_cast<std::int64_t>(id - data.encounters());
    e.started = live ? live_from + k * live_step_s + draw.between(0, live_step_s - 1)
                     : base_from + draw.between(0, base_days * 1440 - 1) * 60;
    const bool open = draw.one_in(live ? 2 : 40);
    e.ended = open ? 0 : e.started + draw.between(10, 6 * 1440) * 60;
    e.reason = phrase('c', draw);
    return e;
}

std::uint64_t observation_count(const Dataset& data, std::uint64_t encounter_id) {
    Draw draw(data.seed, Kind::Observation, encounter_id * observations_max);
    return 2 + draw.below(observations_max - 1);
}

Observation observation(const Dataset& data, std::uint64_t encounter_id, std::uint64_t index,
                        std::int64_t started) {
    Draw draw(data.seed, Kind::Observation, encounter_id * observations_max + index);
    draw.next();  // The first one of index 0 is the count.
    const Measure& m = measures[draw.below(measures.size())];
    // The mean of three: values gather in the middle, as measurements do.
    const std::int64_t sum =
        draw.between(m.low, m.high) + draw.between(m.low, m.high) + draw.between(m.low, m.high);
    const std::int64_t tenths = sum / 3;
    return {m.code, m.label, m.unit,
            std::to_string(tenths / 10) + "." + std::to_string(tenths % 10),
            started + draw.between(1, 480) * 60};
}

std::string note(const Dataset& data, std::uint64_t encounter_id, const Encounter& of) {
    Draw draw(data.seed, Kind::Note, encounter_id);
    std::string text = "SYNTHETIC. " + time_text(of.started).substr(0, 16) + " " +
                       phrase('r', draw) + " entry, " + of.ward + ".\n";
    const std::int64_t sentences = draw.between(6, 18);
    for (std::int64_t i = 0; i < sentences; ++i) {
        type_hastily(phrase('N', draw), draw, text);
        text.push_back(draw.one_in(4) ? '\n' : ' ');
    }
    text += "Signed " + of.clinician;
    return text;
}

std::uint64_t rows_of_transaction(const Dataset& data, std::uint64_t k) {
    const std::uint64_t encounter_and_note = 2;
    return encounter_and_note + observation_count(data, data.encounters() + k) +
           (k % letter_every == 0 ? 1 : 0) + (k % change_every == 0 ? 1 : 0) +
           (k % allergy_every == 0 ? 1 : 0);
}

}  // namespace holdfast::demo
