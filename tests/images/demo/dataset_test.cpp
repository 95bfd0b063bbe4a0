// The data set and the log without a server.
#include "images/demo/epr/dataset.h"
#include "images/demo/epr/ack_log.h"
#include "images/demo/epr/image.h"
#include "images/demo/epr/letter.h"
#include "images/demo/epr/tables.h"

#include <catch2/catch.hpp>

#include <set>

using namespace holdfast;
using namespace holdfast::demo;

namespace {

const Dataset data{42, 20};

bool check_digit_right(const std::string& nhs_number) {
    int sum = 0;
    for (std::size_t i = 0; i < 9; ++i) sum += (nhs_number[i] - '0') * static_cast<int>(10 - i);
    return (11 - sum % 11) % 11 == nhs_number[9] - '0';
}

AckHistory history(std::initializer_list<std::uint64_t> numbers) {
    AckHistory made;
    std::int64_t moment = 1000;
    for (const std::uint64_t k : numbers) made.acks.push_back({k, moment++});
    return made;
}

std::vector<std::uint64_t> beyond(const AckHistory& log, std::uint64_t n) {
    std::vector<std::uint64_t> numbers;
    for (const Ack& ack : acks_beyond(log, n)) numbers.push_back(ack.k);
    return numbers;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("every NHS number is of the range 999, valid and one patient's only", "[demo]") {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const Dataset large{seed, megabytes_max};
        std::set<std::string> numbers;
        for (std::uint64_t id = 1; id <= large.patients(); id += id < 20000 ? 1 : 997) {
            const std::string number = patient(large, id).nhs_number;
            if (!number.starts_with("999") || number.size() != 10 || !check_digit_right(number)) {
                FAIL(number);
            }
            if (!numbers.insert(number).second) FAIL(number << " twice");
        }
    }
}

TEST_CASE("names and postcodes say that they are synthetic", "[demo]") {
    const Patient p = patient(data, 7);
    CHECK(p.family_name.starts_with("XXTEST-"));
    CHECK(p.postcode.starts_with("ZZ99 "));
    CHECK(note(data, 1, encounter(data, 1)).starts_with("SYNTHETIC."));
    CHECK(letter(data, 1).body.find("SYNTHETIC RECORD") != std::string::npos);
}

TEST_CASE("a record is the same whenever it is made, and another with another seed", "[demo]") {
    const Dataset other{43, 20};
    const auto text = [](const Dataset& of) {
        std::string out;
        for (const Table table : tables) {
            const State state = State::at(of, 100);
            Rows rows(state, table);
            Row row;
            for (int i = 0; i < 40 && rows.next(row); ++i) row.append_copy_line(out);
        }
        return out;
    };
    CHECK(text(data) == text(data));
    CHECK(text(data) != text(other));
}

TEST_CASE("the state after n is the state before, changed by transaction n alone", "[demo]") {
    for (std::uint64_t n = 1; n <= 80; ++n) {
        std::uint64_t changed_rows = 0;
        for (const Table table : tables) {
            if (table == Table::Ledger || table == Table::Images) continue;
            std::set<std::string> before;
            Row row;
            std::string line;
            const State then = State::at({42, 1}, n - 1);
            for (Rows rows(then, table); rows.next(row); line.clear()) {
                row.append_copy_line(line);
                before.insert(line);
            }
            const State now = State::at({42, 1}, n);
            for (Rows rows(now, table); rows.next(row); line.clear()) {
                row.append_copy_line(line);
                changed_rows += before.contains(line) ? 0 : 1;
            }
        }
        CHECK(changed_rows == rows_of_transaction({42, 1}, n));
    }
}

TEST_CASE("times are printed as PostgreSQL prints them", "[demo]") {
    CHECK(time_text(0) == "1970-01-01 00:00:00+00");
    CHECK(time_text(1709210096) == "2024-02-29 12:34:56+00");
    CHECK(date_text(-1) == "1969-12-31");
    CHECK(date_text(-86400) == "1969-12-31");
    CHECK(date_text(-2208988800) == "1900-01-01");
}

TEST_CASE("a letter's file knows its letter", "[demo]") {
    for (const std::uint64_t id : {std::uint64_t{1}, data.letters(), data.letters() + 3}) {
        CHECK(letter_in(letter(data, id).path) == id);
    }
    for (const char* path :
         {"letters", "letters/x/L", "letters/x/L5", "letters/x/M5.txt", "images/x/L5.txt",
          "letters/x/L0.txt", "letters/L99999999999999999999.t"}) {
        CHECK_FALSE(letter_in(path));
    }
    CHECK(letter(data, data.letters() + 3).encounter == data.encounters() + 21);
}

TEST_CASE("letters come as text, HTML and PDF", "[demo]") {
    std::set<Format> seen;
    for (std::uint64_t id = 1; id <= 40; ++id) {
        const Letter of = letter(data, id);
        const std::string file = render(of);
        seen.insert(of.format);
        if (of.format == Format::Html) CHECK(file.starts_with("<!DOCTYPE html>"));
        if (of.format != Format::Pdf) continue;
        CHECK(file.starts_with("%PDF-1.4\n"));
        const std::size_t mark = file.rfind("startxref\n") + 10;
        CHECK(file.compare(std::stoul(file.substr(mark)), 5, "xref\n") == 0);
    }
    CHECK(seen.size() == 3);
}

TEST_CASE("an image is DICOM of 16-bit pixels, twelve bits of them used", "[demo]") {
    const Buffer file = image_file(data, 3, image(data, 3));
    CHECK(as_text(file).substr(128, 4) == "DICM");
    const std::size_t pixels = image_rows * image_columns;
    REQUIRE(file.size() > 2 * pixels);
    std::set<int> values;
    int largest = 0;
    for (std::size_t i = file.size() - 2 * pixels; i < file.size(); i += 2) {
        const int value = file[i] | file[i + 1] << 8;
        values.insert(value);
        largest = std::max(largest, value);
    }
    CHECK(largest < 4096);
    CHECK(values.size() > 300);
}

TEST_CASE("sizes out of range are refused", "[demo]") {
    CHECK_FALSE(Dataset::make(1, 0));
    CHECK_FALSE(Dataset::make(1, megabytes_max + 1));
    CHECK_FALSE(Dataset::make(std::uint64_t{1} << 63, 1));
    CHECK(Dataset::make(1, 1));
}

TEST_CASE("acknowledgements beyond n end where the writer began anew", "[demo]") {
    CHECK(beyond(history({1, 2, 3, 4}), 2) == Numbers{3, 4});
    CHECK(beyond(history({1, 2, 3, 4}), 4).empty());
    CHECK(beyond(history({1, 2, 3, 4, 3, 4, 5, 6}), 2) == Numbers{3, 4});
    CHECK(beyond(history({1, 2, 3, 4, 3, 4, 5, 6}), 5) == Numbers{6});
    CHECK(beyond(history({1, 2, 4, 5}), 2) == Numbers{4, 5});  // 3's answer never came.
    CHECK(beyond(history({1, 2, 3, 2, 3, 4, 4}), 3) == Numbers{4});
}
