#include "agent/browse/content.h"

#include "vault/base/damage.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

namespace holdfast::agent {
namespace {

constexpr std::size_t zeros_bytes = 64_KiB;
constexpr std::array<std::uint8_t, zeros_bytes> zeros{};

const char* kind_of(vault::FileType type) {
    switch (type) {
        case vault::FileType::Regular:
            return "a file";
        case vault::FileType::Directory:
            return "a folder";
        case vault::FileType::Symlink:
            return "a symbolic link";
        case vault::FileType::Fifo:
            return "a fifo";
        case vault::FileType::Socket:
            return "a socket";
        case vault::FileType::CharDevice:
        case vault::FileType::BlockDevice:
            return "a device";
    }
    return "of an unknown type";
}

/// The item of a file's first link, which has the content.
Result<vault::Item> first_link(const vault::TreeReader& tree, const vault::Item& item) {
    for (std::size_t i = 0; i < tree.leaves(); ++i) {
        for (vault::Item& one : HF_TRY(tree.leaf(i))) {
            if (one.entry.hard_link == item.entry.hard_link) return std::move(one);
        }
    }
    return Error{Errc::Corrupt, item.entry.path + ": its first link is missing"};
}

/// Reads extents from front to back, in steps that the caller chooses.
class Reading {
public:
    explicit Reading(const ContentSide& side) : side_(side) {}

    bool done() const { return at_ == side_.extents.size(); }
    const vault::Extent& extent() const { return side_.extents[at_]; }
    std::uint64_t left() const { return extent().length - used_; }
    std::uint64_t skip() const { return extent().skip + used_; }

    /// The next `length` bytes, at most left(); of a hole at most zeros_bytes. Valid until the next
    /// call.
    Result<View> bytes(std::uint64_t length) {
        if (extent().hole()) return View(zeros.data(), static_cast<std::size_t>(length));
        chunk_ = HF_TRY(side_.chunks->read(extent().chunk));
        if (skip() > chunk_->size() || length > chunk_->size() - skip()) {
            return Error{Errc::Corrupt, "an extent outside its chunk"};
        }
        return View(*chunk_).subspan(static_cast<std::size_t>(skip()),
                                     static_cast<std::size_t>(length));
    }

    /// True if that was the end of an extent.
    bool pass(std::uint64_t length) {
        used_ += length;
        if (used_ < extent().length) return false;
        ++at_;
        used_ = 0;
        return true;
    }

    bool same_place(const Reading& other) const {
        if (extent().hole() || other.extent().hole()) {
            return extent().hole() && other.extent().hole();
        }
        return extent().chunk == other.extent().chunk && skip() == other.skip();
    }

private:
    ContentSide side_;
    std::size_t at_ = 0;
    std::uint64_t used_ = 0;  // Of the extent at hand.
    std::shared_ptr<const Buffer> chunk_;
};

}  // namespace

Result<vault::Item> item_with_content(const vault::TreeReader& tree, vault::Item item) {
    if (item.entry.hard_link == 0 || !item.content.empty()) return item;
    return first_link(tree, item);
}

Result<vault::Extents> extents_of_file(const vault::TreeReader& tree, vault::Item item) {
    item = HF_TRY(item_with_content(tree, std::move(item)));
    vault::Extents extents = HF_TRY(tree.extents(item));
    HF_TRY(vault::check_covers(extents, item.entry.size).within(item.entry.path));
    return extents;
}

Result<void> pour_extents(const vault::Extents& extents, vault::ChunkReader& chunks,
                          const TakeBytes& take, const TakeDamage& damaged) {
    bool lost = false;  // The rest of the extent at hand.
    for (Reading reading({extents, &chunks}); !reading.done();) {
        const bool zero = lost || reading.extent().hole();
        const std::uint64_t length =
            zero ? std::min<std::uint64_t>(zeros_bytes, reading.left()) : reading.left();
        const auto bytes = zero ? Result<View>(View(zeros.data(), length)) : reading.bytes(length);
        if (!bytes) {
            if (!is_damage(bytes.error())) return bytes.error();
            HF_TRY(damaged(bytes.error()));
            lost = true;
            continue;
        }
        HF_TRY(take(*bytes));
        if (reading.pass(length)) lost = false;
    }
    return {};
}

Result<void> pour_file(const vault::TreeReader& tree, vault::ChunkReader& chunks,
                       std::string_view path, const TakeBytes& take) {
    vault::Item item = HF_TRY(tree.find(path));
    if (item.entry.type != vault::FileType::Regular) {
        std::string what = std::string(path) + " is " + kind_of(item.entry.type);
        if (item.entry.type == vault::FileType::Symlink) what += " to " + item.entry.link_target;
        return Error{Errc::Invalid, what + ", not a file"};
    }
    const vault::Extents extents = HF_TRY(extents_of_file(tree, std::move(item)));
    return pour_extents(extents, chunks, take,
                        [](const Error& error) { return Result<void>(error); });
}

Result<bool> same_content(const ContentSide& a, const ContentSide& b) {
    Reading left(a);
    Reading right(b);
    while (!left.done() && !right.done()) {
        std::uint64_t length = std::min(left.left(), right.left());
        if (!left.same_place(right)) {
            if (left.extent().hole() || right.extent().hole()) {
                length = std::min<std::uint64_t>(length, zeros_bytes);
            }
            const View one = HF_TRY(left.bytes(length));
            const View other = HF_TRY(right.bytes(length));
            if (!std::equal(one.begin(), one.end(), other.begin(), other.end())) return false;
        }
        left.pass(length);
        right.pass(length);
    }
    return left.done() && right.done();
}

}  // namespace holdfast::agent
