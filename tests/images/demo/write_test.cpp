// Loading, writing, stopping, losing: the verbs around the proof.
#include "tests/images/demo/clinic.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

using namespace holdfast;
using namespace holdfast::test;
using nlohmann::json;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// True once the writer has logged `count` more lines than `before`.
bool logged(const Clinic& clinic, std::size_t before, std::size_t count) {
    return eventually([&] { return lines_of(clinic.log).size() >= before + count; });
}

}  // namespace

TEST_CASE("loading refuses a database or a folder that holds anything", "[demo]") {
    const Clinic clinic;
    const std::string elsewhere = clinic.documents + "-2";
    const Outcome again = run({"load", "--seed", "1", "--megabytes", "1", "--database",
                               clinic.database, "--documents", elsewhere});
    CHECK(again.exit == 1);
    CHECK(again.err.find("the database must be empty") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(elsewhere + "/letters"));
    const Outcome full = run({"load", "--seed", "1", "--megabytes", "1", "--database",
                              clinic.database, "--documents", clinic.documents});
    CHECK(full.exit == 1);
    CHECK(full.err.find("is not empty") != std::string::npos);
    CHECK(clinic.prove().exit == 0);
}

TEST_CASE("each acknowledged transaction has its line, and a new writer goes on after the last",
          "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(8).exit == 0);
    REQUIRE(clinic.write(5).exit == 0);
    const auto lines = lines_of(clinic.log);
    REQUIRE(lines.size() == 14);
    CHECK(lines[0] == "# holdfast-demo-epr seed 42 megabytes 2");
    for (std::size_t k = 1; k <= 13; ++k) CHECK(lines[k].starts_with(std::to_string(k) + " "));
    CHECK(clinic.last() == 13);
}

TEST_CASE("a writer of another seed and a log of another data set are refused", "[demo]") {
    const Clinic clinic;
    const Outcome other = run({"write", "--seed", "43", "--database", clinic.database,
                               "--documents", clinic.documents, "--log", clinic.log});
    CHECK(other.exit == 1);
    CHECK(other.err.find("loaded from seed 42") != std::string::npos);
    std::ofstream(clinic.log) << "# holdfast-demo-epr seed 9 megabytes 2\n";
    const Outcome log = clinic.write(1);
    CHECK(log.exit == 1);
    CHECK(log.err.find("another data set") != std::string::npos);
    CHECK(clinic.last() == 0);
}

TEST_CASE("told to stop, the writer ends between two transactions", "[demo]") {
    const Clinic clinic;
    Program writer(clinic.write_arguments({"--rate", "0"}));
    REQUIRE(logged(clinic, 0, 30));
    writer.terminate();
    const Outcome ended = writer.wait();
    INFO(ended.err);
    CHECK(ended.exit == 0);
    CHECK(lines_of(clinic.log).size() == clinic.last() + 1);
    CHECK(clinic.prove().exit == 0);
}

TEST_CASE("a lost connection ends the writer with a reason and a whole log", "[demo]") {
    const Clinic clinic;
    Program writer(clinic.write_arguments({"--rate", "0"}));
    REQUIRE(logged(clinic, 0, 20));
    REQUIRE(server().stop("immediate"));
    const Outcome ended = writer.wait();
    REQUIRE(server().start());
    CHECK(ended.exit == 1);
    INFO(ended.err);
    CHECK(ended.err.find("connection is lost") != std::string::npos);
    const std::uint64_t n = clinic.last();
    const auto lines = lines_of(clinic.log);
    // All that was acknowledged is there; one more may have been committed unacknowledged.
    CHECK(n >= lines.size() - 1);
    CHECK(n <= lines.size());
    CHECK(clinic.prove().exit == 0);
    CHECK(clinic.write(3).exit == 0);
    CHECK(clinic.last() == n + 3);
    CHECK(clinic.prove().exit == 0);
}

TEST_CASE("with --retry the writer goes on when the server is back", "[demo]") {
    const Clinic clinic;
    Program writer(clinic.write_arguments({"--rate", "0", "--retry", "60"}));
    REQUIRE(logged(clinic, 0, 20));
    REQUIRE(server().stop("fast"));
    const std::size_t before = lines_of(clinic.log).size();
    REQUIRE(server().start());
    REQUIRE(logged(clinic, before, 20));
    writer.terminate();
    CHECK(writer.wait().exit == 0);
    CHECK(clinic.prove().exit == 0);
}

TEST_CASE("of two writers the one that comes second to a number is told and ends", "[demo]") {
    const Clinic clinic;
    Program first(clinic.write_arguments({"--rate", "0"}));
    REQUIRE(logged(clinic, 0, 10));
    Outcome second =
        run({"write", "--seed", "42", "--database", clinic.database, "--documents",
             clinic.documents, "--log", clinic.log + "-2", "--rate", "0", "--count", "50"});
    // Whoever commits a number first goes on; the second may be that one.
    if (second.exit == 1) first.terminate();
    const Outcome one = first.wait();
    CHECK(one.exit + second.exit == 1);
    CHECK((one.err + second.err).find("another writer is at work") != std::string::npos);
    CHECK(clinic.prove().exit == 0);
}

TEST_CASE("what is lost is counted from the log and the seed", "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(40).exit == 0);
    // The same numbers from the database, which has lost nothing yet.
    const auto counted = [&](const std::string& table, const std::string& where) {
        return std::stoull(clinic.ask_sql("SELECT count(*) FROM " + table + " WHERE " + where));
    };
    const std::uint64_t rows = counted("encounters", "id > 270 + 25") +
                               counted("notes", "id > 270 + 25") +
                               counted("observations", "encounter_id > 270 + 25") +
                               counted("letters", "encounter_id > 270 + 25") +
                               counted("allergies", "changed_by > 25") +  // 30, 35, 40.
                               counted("allergies", "id > 60 + 25 / 11");
    const json said = json::parse(clinic.lost(25).out);
    CHECK(said["transactions"] == 15);
    CHECK(said["rows"] == rows);
    CHECK(said["letters"] == 2);
    CHECK(said["last_acknowledged"] == 40);
    const auto time_of = [&](std::size_t k) {
        const std::string line = lines_of(clinic.log)[k];
        return std::stoll(line.substr(line.find(' ')));
    };
    CHECK(said["seconds"] == static_cast<double>(time_of(40) - time_of(25)) / 1000);
    CHECK(json::parse(clinic.lost(40).out)["transactions"] == 0);
    CHECK(json::parse(clinic.lost(41).out)["seconds"] == 0.0);
    CHECK(json::parse(clinic.lost(0).out)["transactions"] == 40);
}

TEST_CASE("a log that is none is refused by line", "[demo]") {
    const Clinic clinic;
    std::ofstream(clinic.log) << "# holdfast-demo-epr seed 42 megabytes 2\n1 5\nx 6\n";
    const Outcome said = clinic.lost(0);
    CHECK(said.exit == 1);
    CHECK(said.err.find("line 3") != std::string::npos);
}

TEST_CASE("a client gets a patient's allergies and latest letter", "[demo]") {
    const Clinic clinic;
    REQUIRE(clinic.write(70).exit == 0);
    const Outcome any = run(
        {"ask", "--database", clinic.database, "--documents", clinic.documents, "--any", "--json"});
    REQUIRE(any.exit == 0);
    const json said = json::parse(any.out);
    const std::string id = std::to_string(said["patient"]["id"].get<int>());
    CHECK(said["last_transaction"] == 70);
    CHECK(said["letter"]["file"] == "right");
    CHECK(said["letter"]["text"] == clinic.ask_sql("SELECT body FROM letters WHERE patient_id = " +
                                                   id + " ORDER BY written_on DESC, id DESC"));
    CHECK(std::to_string(said["allergies"].size()) ==
          clinic.ask_sql("SELECT count(*) FROM allergies WHERE patient_id = " + id));

    // Without the folder, as across a relay that carries the database only.
    const Outcome thin = run({"ask", "--database", clinic.database, "--patient", id, "--json"});
    CHECK(thin.exit == 0);
    CHECK(json::parse(thin.out)["letter"]["text"] == said["letter"]["text"]);

    const std::string path = said["letter"]["path"];
    std::ofstream(clinic.documents + "/" + path, std::ios::app) << "x";
    const Outcome wrong = run(
        {"ask", "--database", clinic.database, "--documents", clinic.documents, "--patient", id});
    CHECK(wrong.exit == 1);
    CHECK(wrong.err.find(path + ": wrong") != std::string::npos);
    const Outcome nobody = run({"ask", "--database", clinic.database, "--patient", "999999"});
    CHECK(nobody.exit == 1);
    CHECK(nobody.err.find("there is no patient 999999") != std::string::npos);
}
