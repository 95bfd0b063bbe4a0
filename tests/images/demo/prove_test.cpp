// The proof: equal after any number of transactions; any change is found and named.
#include "tests/images/demo/clinic.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

using namespace holdfast;
using namespace holdfast::test;
using nlohmann::json;

namespace {

void expect_equal(const Clinic& clinic, std::uint64_t n) {
    const Outcome proof = clinic.prove();
    INFO(proof.out << proof.err);
    REQUIRE(proof.exit == 0);
    const json said = json::parse(proof.out);
    CHECK(said["equal"] == true);
    CHECK(said["n"] == n);
    CHECK(said["differences_total"] == 0);
}

/// The proof fails and one of its sentences contains `what`.
void expect_difference(const Clinic& clinic, const std::string& what) {
    const Outcome proof = clinic.prove();
    INFO(proof.out << proof.err << "\nexpected in it: " << what);
    REQUIRE(proof.exit == 1);
    const json said = json::parse(proof.out);
    CHECK(said["equal"] == false);
    bool named = false;
    for (const auto& difference : said["differences"]) {
        named = named || difference.get<std::string>().find(what) != std::string::npos;
    }
    CHECK(named);
}

void flip_byte(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(file);
    file.seekg(at);
    const int was = file.get();
    file.seekp(at);
    file.put(static_cast<char>(was ^ 1));
}

std::string path_of_letter(const Clinic& clinic, const std::string& order) {
    return clinic.ask_sql("SELECT path FROM letters ORDER BY id " + order + " LIMIT 1");
}

}  // namespace

TEST_CASE("what was loaded and then written is proven from the seed alone", "[demo]") {
    const Clinic clinic;
    expect_equal(clinic, 0);
    REQUIRE(clinic.write(385).exit == 0);  // 5 * 7 * 11: each kind of transaction, and all at once.
    expect_equal(clinic, 385);
    const Outcome text = run({"prove", "--seed", "42", "--megabytes", "2", "--database",
                              clinic.database, "--documents", clinic.documents});
    CHECK(text.exit == 0);
    CHECK(text.out.find("EQUAL: 0 differences") != std::string::npos);
}

TEST_CASE("a changed value is named by table, row and column", "[demo]") {
    const Clinic clinic;
    clinic.sql("UPDATE observations SET value = value + 0.1 WHERE id = 17");
    expect_difference(clinic, "observations row 17: value is");
    clinic.sql("UPDATE observations SET value = value - 0.1 WHERE id = 17");
    expect_equal(clinic, 0);
    clinic.sql("UPDATE notes SET body = overlay(body placing '#' from 200 for 1) WHERE id = 3");
    expect_difference(clinic, "notes row 3: body is");
}

TEST_CASE("a NULL where a value belongs is a difference", "[demo]") {
    const Clinic clinic;
    const std::string id = clinic.ask_sql("SELECT max(id) FROM encounters WHERE ended_at NOTNULL");
    clinic.sql("UPDATE encounters SET ended_at = NULL WHERE id = " + id);
    expect_difference(clinic, "encounters row " + id + ": ended_at is '\\N'");
}

TEST_CASE("a row that is gone and a row too many are named", "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(20).exit == 0);
    clinic.sql("DELETE FROM allergies WHERE id = 5");
    expect_difference(clinic, "allergies row 5 is missing");
    clinic.sql(
        "INSERT INTO allergies SELECT 900000, patient_id, substance, reaction, severity, "
        "status, recorded_on, changed_by FROM allergies WHERE id = 6");
    expect_difference(clinic, "allergies row 900000 should not be there");
}

TEST_CASE("the last row's loss is found though the count of the others is right", "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(9).exit == 0);
    const std::string id = clinic.ask_sql("SELECT max(id) FROM notes");
    clinic.sql("DELETE FROM notes WHERE id = " + id);
    expect_difference(clinic, "notes row " + id + " is missing");
}

TEST_CASE("a table that is gone or a ledger that lies makes the proof fail", "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(10).exit == 0);
    clinic.sql("UPDATE ledger SET last = 9");
    expect_difference(clinic, "encounters row 280 should not be there");  // 135 * 2 + 10.
    clinic.sql(
        "UPDATE ledger SET last = 10; ALTER TABLE notes RENAME TO kept; CREATE VIEW notes AS "
        "SELECT id, encounter_id / (100 - id) AS encounter_id, author, written_at, body "
        "FROM kept");
    expect_difference(clinic, "notes cannot be read: COPY: ERROR:  division by zero");
    clinic.sql("DROP VIEW notes");
    expect_difference(clinic, "notes cannot be read");
    clinic.sql("UPDATE ledger SET last = 9000000000000000000");
    expect_difference(clinic, "more than are possible");
    clinic.sql("DROP TABLE ledger");
    expect_difference(clinic, "ledger");
}

TEST_CASE("one wrong byte in a document is named with its place", "[demo]") {
    const Clinic clinic;
    flip_byte(clinic.documents + "/images/S000001/I0001.dcm", 300000);
    expect_difference(clinic, "images/S000001/I0001.dcm differs from its byte 300000 on");
    flip_byte(clinic.documents + "/images/S000001/I0001.dcm", 300000);
    expect_equal(clinic, 0);
    const std::string letter = path_of_letter(clinic, "ASC");
    std::filesystem::resize_file(clinic.documents + "/" + letter, 100);
    expect_difference(clinic, letter + " has 100 bytes, expected ");
}

TEST_CASE("a document that is gone and one too many are named", "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(14).exit == 0);
    const std::string letter = path_of_letter(clinic, "DESC");  // One of the writer's.
    std::filesystem::remove(clinic.documents + "/" + letter);
    expect_difference(clinic, letter + " is missing");
    std::ofstream(clinic.documents + "/letters/L1.txt") << "x";
    expect_difference(clinic, "letters/L1.txt should not be there");
    std::filesystem::remove_all(clinic.documents);
    expect_difference(clinic, "cannot list");
}

TEST_CASE("a link in a document's place is a difference, even to the right bytes", "[demo]") {
    const Clinic clinic;
    const std::string letter = clinic.documents + "/" + path_of_letter(clinic, "ASC");
    std::filesystem::rename(letter, clinic.documents + "-aside");
    std::filesystem::create_symlink(clinic.documents + "-aside", letter);
    expect_difference(clinic, "is no regular file");
    std::filesystem::remove(clinic.documents + "-aside");
}

TEST_CASE("documents may be ahead of the database, but only with the right content", "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(6).exit == 0);
    clinic.sql("CREATE DATABASE ahead_of_it");  // Letters of 7 and 14 are written elsewhere.
    const std::string other = server().conninfo("ahead_of_it");
    const std::string folder = clinic.documents + "-copy";
    REQUIRE(run({"load", "--seed", "42", "--megabytes", "2", "--database", other, "--documents",
                 folder})
                .exit == 0);
    REQUIRE(run({"write", "--seed", "42", "--database", other, "--documents", folder, "--log",
                 folder + ".log", "--rate", "0", "--count", "14"})
                .exit == 0);
    std::filesystem::copy(
        folder, clinic.documents,
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::skip_existing);
    const std::string late =
        server()
            .sql("SELECT path FROM letters ORDER BY id DESC LIMIT 1", "ahead_of_it")
            ->front()
            .front();
    REQUIRE(server().sql("DROP DATABASE ahead_of_it"));
    std::filesystem::remove_all(folder);

    expect_equal(clinic, 6);
    CHECK(json::parse(clinic.prove().out)["files"]["ahead"] == 2);

    const std::string temporary = clinic.documents + "/" + late + ".tmp-99-0";
    std::filesystem::rename(clinic.documents + "/" + late, temporary);
    std::filesystem::resize_file(temporary, 50);
    expect_equal(clinic, 6);
    CHECK(json::parse(clinic.prove().out)["files"]["unfinished"] == 1);
    flip_byte(temporary, 20);
    expect_difference(clinic, late + ".tmp-99-0 should not be there");
    std::filesystem::rename(temporary, clinic.documents + "/" + late);
    expect_difference(clinic, "(a letter of a later transaction)");
}

TEST_CASE("another seed or size expects something else", "[demo]") {
    const Clinic clinic;
    for (const auto& [seed, megabytes] : {std::pair{"43", "2"}, std::pair{"42", "3"}}) {
        const Outcome proof = run({"prove", "--seed", seed, "--megabytes", megabytes, "--database",
                                   clinic.database, "--documents", clinic.documents, "--json"});
        CHECK(proof.exit == 1);
        CHECK(json::parse(proof.out)["differences_total"] > 0);
    }
}

TEST_CASE("a server that does not answer is no difference: the proof says it could not look",
          "[demo]") {
    const Outcome proof = run({"prove", "--seed", "42", "--megabytes", "2", "--database",
                               "host=/nowhere dbname=x", "--documents", "/nowhere"});
    CHECK(proof.exit == 2);
    CHECK(proof.err.find("connect to the database") != std::string::npos);
}
