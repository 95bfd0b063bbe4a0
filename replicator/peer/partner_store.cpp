#include "replicator/peer/partner_store.h"

#include "replicator/peer/wire.h"
#include "replicator/tenancy/pack_upload.h"
#include "vault/crypto/merkle.h"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>
#include <vector>

namespace holdfast::replicator {
namespace {

constexpr std::size_t page_names = 5000;
constexpr std::uint64_t proof_bytes_max = 64_KiB;
constexpr std::size_t fetched_max = 8;  // Small objects kept between size() and get().

/// Leaves of a pack, checked against its name.
using ProvenLeaves = vault::ProvenLeaf;  // One, or several together.

Result<ProvenLeaves> check_leaves(const PackId& id, std::uint64_t first, View answer) {
    ByteReader in(answer);
    ProvenLeaves out;
    out.pack_length = in.u64();
    const Digest root = Digest::read(in);
    out.proof.resize(std::min<std::size_t>(in.u16(), vault::merkle_proof_max));
    for (Digest& hash : out.proof) hash = Digest::read(in);
    const View bytes = in.bytes(in.left());
    if (!in.ok() || pack_id_from(out.pack_length, root) != id ||
        !vault::file_range_holds(root, out.pack_length, first, bytes, out.proof)) {
        return Error{Errc::Corrupt, "what the partner sends is not part of pack " + id.hex()};
    }
    out.bytes.assign(bytes.begin(), bytes.end());
    return out;
}

std::string percent_encoded(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '/' ? std::string("%2F") : std::string(1, c);
    return out;
}

/// A run of leaves that is fetched and kept as one.
struct BlockName {
    PackId pack;
    std::uint64_t number = 0;
    friend auto operator<=>(const BlockName&, const BlockName&) = default;
};

}  // namespace

struct PartnerStore::State {
    PartnerStoreSettings settings;
    std::mutex mutex;  // Guards all below.
    std::vector<SyncClient> idle;
    using Block = std::shared_ptr<const Buffer>;    // Readers may hold one that is dropped here.
    std::list<std::pair<BlockName, Block>> blocks;  // The most recently used first.
    std::map<BlockName, std::list<std::pair<BlockName, Block>>::iterator> places;
    std::size_t held_bytes = 0;
    std::map<PackId, std::uint64_t> lengths;
    std::map<std::string, Buffer> fetched;  // Small objects whose length was asked, not yet read.

    std::uint64_t block_bytes() const {
        return settings.read_ahead_leaves * vault::merkle_leaf_bytes;
    }

    Result<HttpReply> ask(const std::string& method, const std::string& path,
                          std::uint64_t bytes_max);
    Result<SyncClient> take_client();
    Block known(const BlockName& name);
    void remember(const BlockName& name, Block block, std::uint64_t pack_length);
    Result<Block> block(const BlockName& name, std::uint64_t pack_length);
    Result<Buffer> read_pack(const PackId& id, std::uint64_t offset, std::uint64_t length);
    Result<std::uint64_t> pack_length(const PackId& id);
    Result<Buffer> fetch(const std::string& name);
};

Result<SyncClient> PartnerStore::State::take_client() {
    {
        const std::lock_guard lock(mutex);
        if (!idle.empty()) {
            SyncClient client = std::move(idle.back());
            idle.pop_back();
            return client;
        }
    }
    return SyncClient::make(settings.identity);
}

Result<HttpReply> PartnerStore::State::ask(const std::string& method, const std::string& path,
                                           std::uint64_t bytes_max) {
    SyncClient client = HF_TRY(take_client());
    ClientRequest request;
    request.method = method;
    request.path = settings.path + path;
    request.reply_bytes_max = bytes_max;
    auto reply = client.request(settings.peer, std::move(request));
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(client));
    if (!reply) return reply;
    if (!reply->ok()) return error_from(reply->status, reply->body);
    return reply;
}

PartnerStore::State::Block PartnerStore::State::known(const BlockName& name) {
    const std::lock_guard lock(mutex);
    const auto found = places.find(name);
    if (found == places.end()) return nullptr;
    blocks.splice(blocks.begin(), blocks, found->second);
    return blocks.front().second;
}

void PartnerStore::State::remember(const BlockName& name, Block block, std::uint64_t pack_length) {
    const std::lock_guard lock(mutex);
    lengths[name.pack] = pack_length;
    if (places.contains(name)) return;
    held_bytes += block->size();
    blocks.emplace_front(name, std::move(block));
    places[name] = blocks.begin();
    while (held_bytes > settings.cache_bytes && blocks.size() > 1) {
        held_bytes -= blocks.back().second->size();
        places.erase(blocks.back().first);
        blocks.pop_back();
    }
}

Result<PartnerStore::State::Block> PartnerStore::State::block(const BlockName& name,
                                                              std::uint64_t pack_length) {
    if (Block have = known(name)) return have;
    const std::uint64_t leaves =
        (pack_length + vault::merkle_leaf_bytes - 1) / vault::merkle_leaf_bytes;
    const std::uint64_t first = name.number * settings.read_ahead_leaves;
    const std::uint64_t last = std::min(first + settings.read_ahead_leaves, leaves) - 1;
    const std::string path = "/" + vault::pack_name(name.pack) +
                             "?leaves=" + std::to_string(first) + "-" + std::to_string(last);
    const HttpReply reply = HF_TRY(ask("GET", path, block_bytes() + proof_bytes_max));
    ProvenLeaves proven = HF_TRY(check_leaves(name.pack, first, reply.body));
    if (proven.pack_length != pack_length) {
        return Error{Errc::Corrupt, "the partner gave two lengths for pack " + name.pack.hex()};
    }
    auto block = std::make_shared<const Buffer>(std::move(proven.bytes));
    remember(name, block, pack_length);
    return block;
}

/// Once for its length and once for its bytes is asked for; it comes once.
Result<Buffer> PartnerStore::State::fetch(const std::string& name) {
    {
        const std::lock_guard lock(mutex);
        const auto found = fetched.find(name);
        if (found != fetched.end()) return std::move(fetched.extract(found).mapped());
    }
    return HF_TRY(ask("GET", "/" + name, vault::object_bytes_max)).body;
}

Result<std::uint64_t> PartnerStore::State::pack_length(const PackId& id) {
    {
        const std::lock_guard lock(mutex);
        const auto found = lengths.find(id);
        if (found != lengths.end()) return found->second;
    }
    // The first leaf's proof says the length, and the pack's name commits to it.
    const HttpReply reply = HF_TRY(ask("GET", "/" + vault::pack_name(id) + "?leaves=0-0",
                                       vault::merkle_leaf_bytes + proof_bytes_max));
    const ProvenLeaves proven = HF_TRY(check_leaves(id, 0, reply.body));
    const std::lock_guard lock(mutex);
    lengths[id] = proven.pack_length;
    return proven.pack_length;
}

Result<Buffer> PartnerStore::State::read_pack(const PackId& id, std::uint64_t offset,
                                              std::uint64_t length) {
    const std::uint64_t whole = HF_TRY(pack_length(id));
    if (offset > whole || length > whole - offset) {
        return Error{Errc::Corrupt,
                     "pack " + id.hex() + " ends after " + std::to_string(whole) + " bytes"};
    }
    Buffer out;
    out.reserve(length);
    while (out.size() < length) {
        const std::uint64_t at = offset + out.size();
        const auto part = HF_TRY(block({id, at / block_bytes()}, whole));
        const std::uint64_t skip = at % block_bytes();
        const std::uint64_t n = std::min<std::uint64_t>(part->size() - skip, length - out.size());
        const auto from = part->begin() + static_cast<std::ptrdiff_t>(skip);
        out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(n));
    }
    return out;
}

PartnerStore::PartnerStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
PartnerStore::~PartnerStore() = default;

Result<std::unique_ptr<PartnerStore>> PartnerStore::make(PartnerStoreSettings settings) {
    if (settings.read_ahead_leaves < 1 || settings.read_ahead_leaves > wire_leaves_max) {
        return Error{Errc::Invalid, "read ahead by 1 to 64 leaves"};
    }
    auto state = std::make_unique<State>();
    state->settings = std::move(settings);
    return std::unique_ptr<PartnerStore>(new PartnerStore(std::move(state)));
}

Result<void> PartnerStore::put(const std::string& name, View) {
    return Error{Errc::Denied, name + ": a partner's copy is written by replication alone"};
}

Result<void> PartnerStore::remove(const std::string& name) {
    return Error{Errc::Denied, name + ": nothing is removed at a partner"};
}

Result<Buffer> PartnerStore::get(const std::string& name, std::uint64_t offset,
                                 std::uint64_t length) const {
    HF_TRY(vault::check_object_name(name));
    if (length > vault::object_bytes_max) {
        return Error{Errc::Invalid, name + ": more than an object can hold was asked for"};
    }
    if (length == 0) return Buffer{};
    if (name.starts_with("pack/")) {
        const PackId id{HF_TRY(vault::id_in_name(name)).digest};
        return state_->read_pack(id, offset, length);
    }
    const Buffer object = HF_TRY(state_->fetch(name));
    if (offset > object.size() || length > object.size() - offset) {
        return Error{Errc::Corrupt, name + " ends after " + std::to_string(object.size()) +
                                        " bytes at the partner"};
    }
    const auto from = object.begin() + static_cast<std::ptrdiff_t>(offset);
    return Buffer(from, from + static_cast<std::ptrdiff_t>(length));
}

Result<vault::ProvenLeaf> PartnerStore::leaf(const PackId& pack, std::uint64_t number) const {
    const std::string leaf = std::to_string(number);
    const HttpReply reply =
        HF_TRY(state_->ask("GET", "/" + vault::pack_name(pack) + "?leaves=" + leaf + "-" + leaf,
                           vault::merkle_leaf_bytes + proof_bytes_max));
    return check_leaves(pack, number, reply.body);
}

Result<std::uint64_t> PartnerStore::size(const std::string& name) const {
    HF_TRY(vault::check_object_name(name));
    if (name.starts_with("pack/")) {
        return state_->pack_length(PackId{HF_TRY(vault::id_in_name(name)).digest});
    }
    Buffer object = HF_TRY(state_->fetch(name));
    const std::uint64_t bytes = object.size();
    const std::lock_guard lock(state_->mutex);
    if (state_->fetched.size() >= fetched_max) state_->fetched.clear();
    state_->fetched[name] = std::move(object);
    return bytes;
}

Result<void> PartnerStore::list(
    const std::string& prefix, const std::function<Result<void>(const std::string&)>& visit) const {
    std::string after;
    for (bool more = true; more;) {
        const std::string path = "?prefix=" + percent_encoded(prefix) +
                                 "&after=" + percent_encoded(after) +
                                 "&limit=" + std::to_string(page_names);
        const HttpReply reply = HF_TRY(state_->ask("GET", path, wire_body_bytes_max));
        const NamesPage page = HF_TRY(parse_names_page(reply.body));
        for (const std::string& name : page.names) {
            if (name <= after || !name.starts_with(prefix)) {
                return Error{Errc::Corrupt, "the partner lists names out of order"};
            }
            HF_TRY(visit(name));
            after = name;
        }
        more = page.more && !page.names.empty();
    }
    return {};
}

}  // namespace holdfast::replicator
