#include "agent/people/custody_files.h"

#include "agent/config/name.h"
#include "agent/people/people_book.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/base/temporary.h"
#include "vault/crypto/base64.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

namespace holdfast::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t custodian_bytes_max = 4'096;
constexpr std::string_view share_form = "custody share 1";

std::string custodians_folder(const Home& home) {
    return home.people + "/custodians";
}
std::string envelopes_folder(const Home& home, const TrustId& host) {
    return home.people + "/envelopes/" + host.hex();
}

/// NUMBER: 16 hexadecimal digits, as in a vault.
std::string number_name(std::uint64_t number) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
    return text.data();
}

/// Names in a folder, sorted; none if it is not there. Errors: Io.
Result<std::vector<std::string>> names_in_folder(const std::string& folder) {
    std::vector<std::string> out;
    if (!path_exists(folder)) return out;
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        const std::string name = at->path().filename().string();
        if (!is_temporary(name)) out.push_back(name);
    }
    if (failed) return Error{Errc::Io, folder + ": " + failed.message()};
    std::sort(out.begin(), out.end());
    return out;
}

Result<std::uint64_t> next_number(const std::string& folder) {
    const auto names = HF_TRY(names_in_folder(folder));
    if (names.empty()) return std::uint64_t{1};
    std::uint64_t last = 0;
    std::from_chars(names.back().data(), names.back().data() + names.back().size(), last, 16);
    return last + 1;
}

/// The file with the highest number in each folder of `folder`, which are systems'.
Result<std::vector<std::string>> newest_of_each(const std::string& folder) {
    std::vector<std::string> out;
    for (const std::string& system : HF_TRY(names_in_folder(folder))) {
        const fs::path at = fs::path(folder) / system;
        const auto numbers = HF_TRY(names_in_folder(at));
        if (!numbers.empty()) out.push_back(at / numbers.back());
    }
    return out;
}

std::string custody_name(std::uint64_t number) {
    return "custody/" + number_name(number);
}

}  // namespace

Result<std::vector<vault::Custodian>> load_custodians(const Home& home) {
    std::vector<vault::Custodian> out;
    for (const std::string& name : HF_TRY(names_in_folder(custodians_folder(home)))) {
        const std::string path = custodians_folder(home) + "/" + name;
        const Buffer text = HF_TRY(read_file(path, custodian_bytes_max));
        const Json one = HF_TRY(parse_object(as_text(text), path));
        const auto key = HF_TRY(PublicKey::from_text(text_in(one, "key")).within(path));
        out.push_back({text_in(one, "name"), key});
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
}

Result<void> add_custodian(const Home& home, const vault::Custodian& custodian) {
    for (const vault::Custodian& one : HF_TRY(load_custodians(home))) {
        if (one.name != custodian.name) continue;
        return Error{Errc::Conflict, "there is a custodian called " + one.name + " already"};
    }
    HF_TRY(make_folders(custodians_folder(home)));
    const Json out{{"name", custodian.name}, {"key", custodian.key.hex()}};
    return write_file_durably(custodians_folder(home) + "/" + custodian.key.hex() + ".json",
                              as_view(json_text(out, 2)));
}

Result<void> remove_custodian(const Home& home, const std::string& name) {
    for (const vault::Custodian& one : HF_TRY(load_custodians(home))) {
        if (one.name != name) continue;
        const std::string path = custodians_folder(home) + "/" + one.key.hex() + ".json";
        if (::unlink(path.c_str()) != 0) return io_error(errno, "remove " + path);
        return sync_folder(custodians_folder(home));
    }
    return Error{Errc::NotFound, "there is no custodian called " + name};
}

Result<vault::Custody> load_custody(const Node& node) {
    return load_custody(node.vault->store(), node.vault->roster());
}

namespace {

Result<std::string> newest_custody(const vault::Store& store) {
    std::string newest;
    HF_TRY(store.list("custody/", [&](const std::string& name) -> Result<void> {
        newest = name;
        return {};
    }));
    return newest;
}

}  // namespace

Result<vault::Custody> load_custody(const vault::Store& store, const vault::Roster& roster) {
    const std::string newest = HF_TRY(newest_custody(store));
    if (newest.empty()) {
        return Error{Errc::NotFound,
                     "the recovery secret has not been shared out (holdfast "
                     "recovery custody)"};
    }
    const Buffer object = HF_TRY(store.get_all(newest, vault::record_bytes_max));
    return vault::parse_custody(object, roster);
}

Result<vault::Custody> share_recovery(const Node& node, const vault::KitSecrets& kit,
                                      std::size_t threshold, std::int64_t now_ms) {
    if (kit.recovery.public_key != node.vault->roster().recovery_key) {
        return Error{Errc::Denied, "the kit is another trust's, or older than the roster"};
    }
    // One that a former trust key signed has its number still.
    const std::string newest = HF_TRY(newest_custody(node.vault->store()));
    std::uint64_t number = 1;
    if (!newest.empty()) {
        const Buffer object = HF_TRY(node.vault->store().get_all(newest, vault::record_bytes_max));
        number = HF_TRY(vault::parse_record(object)).number + 1;
    }
    const Buffer record = HF_TRY(vault::make_custody(node.vault->roster(), number, kit.recovery,
                                                     HF_TRY(load_custodians(node.home)), threshold,
                                                     kit.trust, now_ms));
    HF_TRY(node.vault->store().put(custody_name(number), record));
    return vault::parse_custody(record, node.vault->roster());
}

Result<EnvelopeHost> envelope_host(const vault::Roster& host) {
    for (const vault::RosterNode& node : host.nodes) {
        if (node.state == vault::NodeState::Active) return EnvelopeHost{host.trust, node.box_key};
    }
    return Error{Errc::NotFound, host.name + " has no active node"};
}

Result<Buffer> make_host_envelope(const Node& node, const std::string& system,
                                  const EnvelopeHost& host, std::size_t threshold,
                                  std::int64_t now_ms, vault::Random& random) {
    HF_TRY(check_name(system, "a system"));
    const vault::OwnDomain* domain = node.vault->domain_named(system, vault::OpeningKeys::Node);
    if (domain == nullptr) {
        return Error{Errc::NotFound, system + " has no snapshot that opens with this node's keys"};
    }
    if (!domain->opening) {
        return Error{Errc::Locked, "the opening key of " + system + " is not on this node"};
    }
    const std::string folder = envelopes_folder(node.home, host.trust) + "/" + system;
    vault::EnvelopeFor what;
    what.trust = node.settings.trust;
    what.domain = domain->record.id;
    what.system = system;
    what.host = host.trust;
    what.host_key = host.box_key;
    what.number = HF_TRY(next_number(folder));
    const Buffer record =
        HF_TRY(vault::make_envelope(what, *domain->opening, HF_TRY(load_custodians(node.home)),
                                    threshold, node.keys.ledger, now_ms, random));
    HF_TRY(make_folders(folder));
    HF_TRY(write_file_durably(folder + "/" + number_name(what.number), record));
    return record;
}

Result<std::vector<KeptEnvelope>> newest_envelopes(const Node& node) {
    std::vector<KeptEnvelope> out;
    const std::string all = node.home.people + "/envelopes";
    for (const std::string& name : HF_TRY(names_in_folder(all))) {
        const TrustId host = HF_TRY(TrustId::from_text(name).within(all));
        for (const std::string& path : HF_TRY(newest_of_each(envelopes_folder(node.home, host)))) {
            const Buffer object = HF_TRY(read_file(path, vault::record_bytes_max));
            auto envelope =
                HF_TRY(vault::parse_envelope(object, host, node.vault->roster()).within(path));
            out.push_back({host, std::move(envelope)});
        }
    }
    return out;
}

Result<std::vector<Buffer>> papers_for(const Home& home, const TrustId& host) {
    std::vector<Buffer> out = HF_TRY(person_records(home));
    for (const std::string& path : HF_TRY(newest_of_each(envelopes_folder(home, host)))) {
        out.push_back(HF_TRY(read_file(path, vault::record_bytes_max)));
    }
    return out;
}

std::string share_json(const vault::OpenedShare& share) {
    Json out{{"holdfast", share_form},
             {"trust", share.trust.hex()},
             {"threshold", share.threshold},
             {"number", share.share.number},
             {"share", vault::to_base64(share.share.bytes.view())}};
    if (!share.of.zero()) out["of"] = share.of.hex();
    return json_text(out, 2) + "\n";
}

Result<vault::OpenedShare> parse_share_json(std::string_view text) {
    const Json in = HF_TRY(parse_object(text, "a custody share"));
    if (text_in(in, "holdfast") != share_form) {
        return Error{Errc::Invalid, "not a custody share, version 1"};
    }
    vault::OpenedShare share;
    share.trust = HF_TRY(TrustId::from_text(text_in(in, "trust")));
    if (!text_in(in, "of").empty()) share.of = HF_TRY(Digest::from_text(text_in(in, "of")));
    share.threshold = static_cast<std::uint8_t>(number_in(in, "threshold") & 0xff);
    share.share.number = static_cast<std::uint8_t>(number_in(in, "number") & 0xff);
    share.share.bytes = HF_TRY(vault::secret_from_base64(as_view(text_in(in, "share"))));
    if (share.share.bytes.size() != vault::share_bytes) {
        return Error{Errc::Invalid, "a custody share has 32 bytes"};
    }
    return share;
}

}  // namespace holdfast::agent
