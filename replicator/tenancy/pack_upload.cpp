#include "replicator/tenancy/pack_upload.h"

#include "replicator/tenancy/refusal.h"
#include "vault/base/fault.h"
#include "vault/crypto/hash.h"
#include "vault/pack/pack_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>

namespace holdfast::replicator {
namespace {

std::string next_name() {
    static std::atomic<std::uint64_t> next{0};
    return std::to_string(next.fetch_add(1));
}

}  // namespace

PackId pack_id_from(std::uint64_t length, const Digest& root) {
    Buffer bytes;
    ByteWriter(bytes).u64(length);
    return PackId{vault::hash("pack", {bytes, root.view()}).digest};
}

PackUpload::PackUpload(PackUpload&& other) noexcept {
    *this = std::move(other);
}

PackUpload& PackUpload::operator=(PackUpload&& other) noexcept {
    if (this == &other) return *this;
    if (!path_.empty()) ::unlink(path_.c_str());
    id_ = other.id_;
    length_ = other.length_;
    path_ = other.release();
    file_ = std::move(other.file_);
    taken_ = other.taken_;
    tree_ = std::move(other.tree_);
    return *this;
}

PackUpload::~PackUpload() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

std::string PackUpload::release() {
    return std::exchange(path_, {});
}

Result<PackUpload> PackUpload::start(const std::string& folder, const PackId& id,
                                     std::uint64_t length) {
    if (length < vault::pack_bytes_min || length > vault::pack_bytes_max) {
        return refuse(Refusal::NotItsName, "no pack has " + std::to_string(length) + " bytes");
    }
    PackUpload upload;
    upload.id_ = id;
    upload.length_ = length;
    const std::string path = folder + "/" + next_name();
    upload.file_ = HF_TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0640));
    upload.path_ = path;
    return upload;
}

Result<void> PackUpload::add(View piece) {
    HF_TRY(write_all(file_, piece, path_));
    tree_.update(piece);
    taken_ += piece.size();
    fault_point("part of a pack received");
    return {};
}

Result<void> PackUpload::finish() {
    if (taken_ != length_ || pack_id_from(taken_, tree_.root()) != id_) {
        return refuse(Refusal::NotItsName,
                      "the bytes that came are not those of pack " + id_.hex());
    }
    HF_TRY(sync_file(file_, path_));
    file_.reset();
    return {};
}

}  // namespace holdfast::replicator
