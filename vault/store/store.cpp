#include "vault/store/store.h"

#include "vault/keys/seal.h"

#include <utility>

namespace holdfast::vault {
namespace {

std::string number_text(std::uint64_t number) {
    Buffer big_endian;
    for (int shift = 56; shift >= 0; shift -= 8) {
        big_endian.push_back(static_cast<std::uint8_t>(number >> shift));
    }
    return to_hex(big_endian);
}

std::string fanned_out(const char* folder, const std::string& hex) {
    return std::string(folder) + "/" + hex.substr(0, 2) + "/" + hex;
}

std::string behind_id(const std::string& seal) {
    return seal.empty() ? std::string() : "-" + seal;
}

bool allowed(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_' ||
           c == '-';
}

}  // namespace

Result<Buffer> Store::get_all(const std::string& name, std::uint64_t bytes_max) const {
    const std::uint64_t length = HF_TRY(size(name));
    if (length > bytes_max) {
        return Error{Errc::Corrupt, name + ": " + std::to_string(length) +
                                        " bytes, where at most " + std::to_string(bytes_max) +
                                        " are possible"};
    }
    return get(name, 0, length);
}

Result<void> Store::list_folders(
    const std::string& prefix, const std::function<Result<void>(const std::string&)>& visit) const {
    std::string last;
    return list(prefix, [&](const std::string& name) -> Result<void> {
        const std::size_t end = name.find('/', prefix.size());
        if (end == std::string::npos) return {};
        std::string folder = name.substr(prefix.size(), end - prefix.size());
        if (folder == last) return {};
        last = std::move(folder);
        return visit(last);
    });
}

Result<void> check_object_name(std::string_view name) {
    bool fine = !name.empty() && name.size() <= object_name_bytes_max && name.front() != '/' &&
                name.back() != '/' && name.find("..") == std::string_view::npos &&
                name.find("//") == std::string_view::npos;
    for (const char c : name) fine = fine && allowed(c);
    if (!fine) return Error{Errc::Invalid, "no name for an object: " + std::string(name)};
    return {};
}

std::string pack_name(const PackId& id) {
    return fanned_out("pack", id.hex());
}
std::string list_name(const ListId& id) {
    return fanned_out("list", id.hex());
}
std::string epoch_name(const EpochId& id, const std::string& seal) {
    return "epoch/" + id.hex() + behind_id(seal);
}
std::string domain_name(const DomainId& id, const std::string& seal) {
    return "domain/" + id.hex() + behind_id(seal);
}
std::string roster_name(std::uint64_t number) {
    return "roster/" + number_text(number);
}
std::string entry_name(const ChainId& chain, std::uint64_t number) {
    return "ledger/" + chain.hex() + "/" + number_text(number);
}

Result<Digest> id_in_name(std::string_view name) {
    const std::size_t slash = name.rfind('/');
    auto id = Digest::from_text(slash == std::string_view::npos ? name : name.substr(slash + 1));
    if (!id) return Error{Errc::Corrupt, "an object with a strange name: " + std::string(name)};
    return id;
}

Result<SealedName> sealed_name(std::string_view name) {
    const std::size_t dash = name.rfind('-');
    if (dash == std::string_view::npos) return SealedName{HF_TRY(id_in_name(name)), {}};
    const std::string seal(name.substr(dash + 1));
    if (!is_seal(seal)) {
        return Error{Errc::Corrupt, "an object with a strange name: " + std::string(name)};
    }
    return SealedName{HF_TRY(id_in_name(name.substr(0, dash))), seal};
}

}  // namespace holdfast::vault
