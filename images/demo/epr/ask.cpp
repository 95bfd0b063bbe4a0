#include "images/demo/epr/database.h"
#include "images/demo/epr/hash.h"
#include "images/demo/epr/transaction.h"
#include "images/demo/epr/verbs.h"
#include "vault/base/file.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace holdfast::demo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t letter_bytes_max = 1_MiB;

Row one(std::uint64_t number) {
    Row row;
    row.add(number);
    return row;
}

/// The one whose letter was written last: there is news about them.
Result<std::uint64_t> any_patient(Database& database) {
    const Answer answer =
        HF_TRY(database.run("SELECT patient_id FROM letters ORDER BY id DESC LIMIT 1"));
    if (answer.rows() == 1) return answer.number(0, 0);
    return Error{Errc::NotFound, "the database holds no letter"};
}

Result<Json> patient_of(Database& database, std::uint64_t id) {
    const Answer answer =
        HF_TRY(database.run("SELECT nhs_number, given_name, family_name, born FROM patients "
                            "WHERE id = $1",
                            one(id)));
    if (answer.rows() == 0) {
        return Error{Errc::NotFound, "there is no patient " + std::to_string(id)};
    }
    return Json{{"id", id},
                {"nhs_number", answer.text(0, 0)},
                {"given_name", answer.text(0, 1)},
                {"family_name", answer.text(0, 2)},
                {"born", answer.text(0, 3)}};
}

Result<Json> allergies_of(Database& database, std::uint64_t patient) {
    const Answer answer = HF_TRY(
        database.run("SELECT substance, reaction, severity, status, recorded_on FROM allergies "
                     "WHERE patient_id = $1 ORDER BY id",
                     one(patient)));
    Json list = Json::array();
    for (std::size_t i = 0; i < answer.rows(); ++i) {
        list.push_back({{"substance", answer.text(i, 0)},
                        {"reaction", answer.text(i, 1)},
                        {"severity", answer.text(i, 2)},
                        {"status", answer.text(i, 3)},
                        {"recorded_on", answer.text(i, 4)}});
    }
    return list;
}

/// "right", "wrong", "missing" (with why), or "not asked" without a folder.
std::string file_state(const std::string& documents, std::string_view path,
                       std::string_view blake2b) {
    if (documents.empty()) return "not asked";
    const auto content = read_file(documents + "/" + std::string(path), letter_bytes_max);
    if (!content && content.error().code == Errc::NotFound) return "missing";
    if (!content) return content.error().message;
    return fingerprint_of(*content).hex() == blake2b ? "right" : "wrong";
}

Result<Json> latest_letter_of(Database& database, std::uint64_t patient,
                              const std::string& documents) {
    const Answer answer =
        HF_TRY(database.run("SELECT id, written_on, title, path, blake2b, body FROM letters "
                            "WHERE patient_id = $1 ORDER BY written_on DESC, id DESC LIMIT 1",
                            one(patient)));
    if (answer.rows() == 0) return Json();
    return Json{{"id", answer.number(0, 0)},
                {"written_on", answer.text(0, 1)},
                {"title", answer.text(0, 2)},
                {"path", answer.text(0, 3)},
                {"file", file_state(documents, answer.text(0, 3), answer.text(0, 4))},
                {"text", answer.text(0, 5)}};
}

std::string field(const Json& object, const char* name) {
    return object[name].get<std::string>();
}

void print_text(const Json& all) {
    const Json& p = all["patient"];
    std::printf("%s %s, NHS number %s, born %s (synthetic)\n", field(p, "given_name").c_str(),
                field(p, "family_name").c_str(), field(p, "nhs_number").c_str(),
                field(p, "born").c_str());
    for (const Json& a : all["allergies"]) {
        std::printf("allergy: %s, %s, %s (%s)\n", field(a, "substance").c_str(),
                    field(a, "reaction").c_str(), field(a, "severity").c_str(),
                    field(a, "status").c_str());
    }
    if (all["allergies"].empty()) std::puts("no allergies recorded");
    const Json& l = all["letter"];
    if (l.is_null()) return void(std::puts("no letters"));
    std::printf("latest letter: %s of %s, %s (file: %s)\n\n%s", field(l, "title").c_str(),
                field(l, "written_on").c_str(), field(l, "path").c_str(), field(l, "file").c_str(),
                field(l, "text").c_str());
}

}  // namespace

Result<void> ask(const Place& place, std::optional<std::uint64_t> patient, bool json) {
    const std::int64_t began = system_clock().steady_ns();
    Database database = HF_TRY(Database::open(place.database));
    HF_TRY(database.run_all("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    const std::uint64_t id = patient ? *patient : HF_TRY(any_patient(database));
    Json all;
    all["last_transaction"] = HF_TRY(read_ledger(database)).last;
    all["patient"] = HF_TRY(patient_of(database, id));
    all["allergies"] = HF_TRY(allergies_of(database, id));
    all["letter"] = HF_TRY(latest_letter_of(database, id, place.documents));
    all["seconds"] = static_cast<double>(system_clock().steady_ns() - began) / 1e9;
    if (json) {
        std::puts(all.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
        print_text(all);
    }
    if (all["letter"].is_null() || place.documents.empty()) return {};
    const std::string file = field(all["letter"], "file");
    if (file == "right") return {};
    return Error{Errc::Corrupt, field(all["letter"], "path") + ": " + file};
}

}  // namespace holdfast::demo
