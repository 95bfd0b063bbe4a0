// Store: a place of immutable objects under names (docs/vault-format.md, 2).
//
// Promises of every store, proven by one conformance suite (tests/vault/store):
//   - put() makes an object visible whole and durable, or not at all; a name that is there stays as
//     it is, since a name commits to its content.
//   - Several threads may use a store at once.
#pragma once

#include "vault/base/bytes.h"
#include "vault/base/units.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace holdfast::vault {

constexpr std::size_t object_name_bytes_max = 160;
constexpr std::uint64_t object_bytes_max = 64_MiB;

class Store {
public:
    virtual ~Store() = default;

    /// Stores `data` under `name` if that is absent. Errors: Invalid (name), Full, Io, Unreachable.
    virtual Result<void> put(const std::string& name, View data) = 0;

    /// `length` bytes from `offset`. Errors: NotFound, Corrupt (the object ends before), Io,
    /// Unreachable.
    virtual Result<Buffer> get(const std::string& name, std::uint64_t offset,
                               std::uint64_t length) const = 0;

    /// The object's length in bytes. Errors: NotFound, Io, Unreachable.
    virtual Result<std::uint64_t> size(const std::string& name) const = 0;

    /// Calls `visit` for each name that starts with `prefix` (a folder, with its '/'), in rising
    /// order. Errors: Io, Unreachable, or visit's own.
    virtual Result<void> list(
        const std::string& prefix,
        const std::function<Result<void>(const std::string&)>& visit) const = 0;

    /// The folders right below `prefix` (a folder, with its '/'), without their '/', in rising
    /// order. Here by all names below it; a store that has folders is quicker. Errors: as list().
    virtual Result<void> list_folders(
        const std::string& prefix,
        const std::function<Result<void>(const std::string&)>& visit) const;

    /// Errors: NotFound, Io, Unreachable.
    virtual Result<void> remove(const std::string& name) = 0;

    /// All of an object that is at most `bytes_max` long. Errors: as get(), Corrupt (longer).
    Result<Buffer> get_all(const std::string& name, std::uint64_t bytes_max) const;
};

/// Errors: Invalid (empty, too long, "..", or a byte outside [a-z0-9/._-]).
Result<void> check_object_name(std::string_view name);

std::string pack_name(const PackId& id);
std::string list_name(const ListId& id);
/// `seal`: the roster's (vault/keys/roster.h): 16 hexadecimal digits, or none for the first.
std::string epoch_name(const EpochId& id, const std::string& seal = {});
std::string domain_name(const DomainId& id, const std::string& seal = {});
std::string roster_name(std::uint64_t number);
std::string entry_name(const ChainId& chain, std::uint64_t number);

/// The id at the end of an object's name. Errors: Corrupt (some other name).
Result<Digest> id_in_name(std::string_view name);

/// The same of an epoch or a domain. Errors: Corrupt.
struct SealedName {
    Digest id;
    std::string seal;
};
Result<SealedName> sealed_name(std::string_view name);

}  // namespace holdfast::vault
