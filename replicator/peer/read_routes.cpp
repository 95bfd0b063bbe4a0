// GET /trusts/{trust}/objects/{name}: whole, in a range, or packs by proven leaves.
#include "replicator/peer/tenancy_call.h"
#include "replicator/peer/wire.h"

#include "vault/pack/directory.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>

namespace holdfast::replicator {
namespace {

constexpr std::size_t piece_bytes = 512_KiB;
constexpr std::size_t leaf_hashes_kept = 256;  // Packs; 32 KiB each at most.

using Leaves = std::shared_ptr<const std::vector<Digest>>;

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

bool read_number(std::string_view text, std::uint64_t& out) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

/// "A-B". Errors: Refusal::BadRange.
Result<Range> parse_range(std::string_view text) {
    const std::size_t dash = text.find('-');
    Range range;
    if (dash != std::string_view::npos && read_number(text.substr(0, dash), range.first) &&
        read_number(text.substr(dash + 1), range.last) && range.first <= range.last) {
        return range;
    }
    return refuse(Refusal::BadRange, "expected A-B, both included");
}

/// A file being sent, piece by piece. Shared by the job that reads and the stream that has room.
class FileSender : public std::enable_shared_from_this<FileSender> {
public:
    FileSender(WorkerPool& pool, std::string path, Range range, ResponseStream stream)
        : pool_(&pool), path_(std::move(path)), range_(range), stream_(std::move(stream)) {}

    void step() {
        if (stream_.gone()) return;
        if (range_.first > range_.last) return stream_.end();
        const std::uint64_t n =
            std::min<std::uint64_t>(piece_bytes, range_.last - range_.first + 1);
        const auto submitted = pool_->submit(
            [path = path_, at = range_.first, n]() -> Result<Buffer> {
                const Fd fd = HF_TRY(open_file(path, O_RDONLY));
                return read_exact(fd, at, n, path);
            },
            [self = shared_from_this()](Result<Buffer> piece) {
                // A stream that is dropped unfinished is cut: the client sees that it is not whole.
                if (piece) self->took(*std::move(piece));
            });
        // A full pool drops the stream too.
        static_cast<void>(submitted.operator bool());
    }

private:
    void took(Buffer piece) {
        range_.first += piece.size();
        if (stream_.gone()) return;
        if (stream_.write(std::move(piece))) return step();
        stream_.on_room([self = shared_from_this()] { self->step(); });
    }

    WorkerPool* pool_;
    std::string path_;
    Range range_;
    ResponseStream stream_;
};

struct ProvenRange {
    Buffer body;
    Leaves leaves;
};

/// `known` saves reading the whole pack. Errors: NotFound, Refusal::BadRange, Corrupt, Io.
Result<ProvenRange> prove(const std::string& path, Range range, Leaves known) {
    Buffer file;
    if (!known) {
        file = HF_TRY(read_file(path, vault::pack_bytes_max));
        known = std::make_shared<const std::vector<Digest>>(vault::merkle_leaves_of_file(file));
    }
    const Fd fd = HF_TRY(open_file(path, O_RDONLY));
    const off_t end = ::lseek(fd.get(), 0, SEEK_END);
    if (end < 0) return io_error(errno, "seek " + path);
    const auto length = static_cast<std::uint64_t>(end);
    if (range.last >= known->size() || range.last - range.first >= wire_leaves_max) {
        return refuse(Refusal::BadRange, "it has " + std::to_string(known->size()) +
                                             " leaves; at most " + std::to_string(wire_leaves_max) +
                                             " are given at once");
    }
    const std::uint64_t from = range.first * vault::merkle_leaf_bytes;
    const std::uint64_t to = std::min(length, (range.last + 1) * vault::merkle_leaf_bytes);
    const vault::MerkleProof proof =
        vault::prove_range(*known, range.first, range.last - range.first + 1);
    ProvenRange out;
    ByteWriter writer(out.body);
    writer.u64(length);
    writer.bytes(vault::merkle_root(*known).view());
    writer.u16(static_cast<std::uint16_t>(proof.size()));
    for (const Digest& hash : proof) writer.bytes(hash.view());
    writer.bytes(HF_TRY(read_exact(fd, from, to - from, path)));
    out.leaves = std::move(known);
    return out;
}

/// What of an object of `length` bytes a Range header asks for. Errors: Refusal::BadRange.
Result<std::optional<Range>> asked_range(const std::string* header, std::uint64_t length) {
    if (header == nullptr) return std::optional<Range>{};
    if (!header->starts_with("bytes=") || length == 0) {
        return refuse(Refusal::BadRange, "expected bytes=A-B");
    }
    std::string text = header->substr(6);
    if (text.ends_with('-')) text += std::to_string(length - 1);
    Range range = HF_TRY(parse_range(text));
    if (range.first >= length) {
        return refuse(Refusal::BadRange, "the object has " + std::to_string(length) + " bytes");
    }
    range.last = std::min(range.last, length - 1);
    return std::optional(range);
}

}  // namespace

Leaves PeerApi::known_leaves(const PackId& pack) {
    const auto found = std::ranges::find(leaves_, pack, &LeafHashes::pack);
    if (found == leaves_.end()) return nullptr;
    leaves_.splice(leaves_.begin(), leaves_, found);
    return leaves_.front().leaves;
}

void PeerApi::remember_leaves(LeafHashes hashes) {
    if (known_leaves(hashes.pack)) return;
    leaves_.push_front(std::move(hashes));
    if (leaves_.size() > leaf_hashes_kept) leaves_.pop_back();
}

void PeerApi::get_leaves(const std::string& vault_folder, const std::string& name,
                         const std::string& text, Responder respond) {
    const auto range = parse_range(text);
    const auto id = vault::id_in_name(name);
    if (!range) return respond.send(refusal_response(range.error()));
    if (!id || !name.starts_with("pack/"))
        return respond.fail(400, "invalid", "only packs have leaves");
    const PackId pack{id->digest};
    const auto submitted = core_.pool.submit(
        [path = vault_folder + "/" + name, range = *range, known = known_leaves(pack)] {
            return prove(path, range, known);
        },
        [this, pack, name, respond = std::move(respond)](Result<ProvenRange> proven) mutable {
            if (!proven && proven.error().code == Errc::NotFound) {
                return respond.fail(404, "not_found", "no " + name + " here");
            }
            if (!proven) return respond.send(refusal_response(proven.error()));
            remember_leaves({pack, std::move(proven->leaves)});
            respond.send(
                {200, {{"content-type", "application/octet-stream"}}, std::move(proven->body)});
        });
    static_cast<void>(submitted.operator bool());  // A full pool drops `respond`: 500 no_answer.
}

void PeerApi::get_object(const HttpRequest& request, Responder respond) {
    const auto owner = owner_of(request);
    if (!owner) return respond.send(refusal_response(owner.error()));
    const std::string& name = request.param("name");
    const auto valid = vault::check_object_name(name);
    if (!valid) return respond.send(refusal_response(valid.error()));
    const std::string folder = Tenancy::vault_folder(core_.tenancies.folder_of((*owner)->trust));
    if (const std::string* const leaves = request.query_value("leaves")) {
        return get_leaves(folder, name, *leaves, std::move(respond));
    }
    const auto store = vault::PosixStore::open(folder);
    const auto length = store ? store->size(name) : Result<std::uint64_t>(store.error());
    if (!length && length.error().code == Errc::NotFound) {
        return respond.fail(404, "not_found", "no " + name + " here");
    }
    if (!length) return respond.send(refusal_response(length.error()));
    const auto range = asked_range(request.header("range"), *length);
    if (!range) return respond.send(refusal_response(range.error()));
    HttpHeaders headers{{"content-type", "application/octet-stream"}};
    Range wanted{0, *length == 0 ? 0 : *length - 1};
    if (*range) {
        wanted = **range;
        headers.emplace_back("content-range", "bytes " + std::to_string(wanted.first) + "-" +
                                                  std::to_string(wanted.last) + "/" +
                                                  std::to_string(*length));
    }
    const std::uint64_t bytes = *length == 0 ? 0 : wanted.last - wanted.first + 1;
    auto stream = respond.stream(*range ? 206 : 200, std::move(headers), bytes);
    if (request.method == "HEAD" || bytes == 0) return stream.end();
    std::make_shared<FileSender>(core_.pool, folder + "/" + name, wanted, std::move(stream))
        ->step();
}

}  // namespace holdfast::replicator
