#include "vault/snapshot/content_writer.h"

namespace holdfast::vault {
namespace {

constexpr std::size_t batch_bytes = 2_MiB;
// write() may overshoot a batch by what it was given; larger writes are taken in parts.
constexpr std::size_t write_part_bytes = 512_KiB;

}  // namespace

ContentWriter::ContentWriter(PackSink& sink, const Naming& naming, unsigned workers)
    : chunker_(naming.gear()) {
    for (unsigned i = 0; i < workers; ++i) storers_.emplace_back(sink, naming);
    pool_ = std::make_unique<WorkerPool>(workers, workers + 1);
}

ContentWriter::~ContentWriter() = default;

Result<ContentWriter::Handle> ContentWriter::begin(Cut cut) {
    HF_ASSERT(current_ == 0);
    HF_TRY(worker_error());
    const std::lock_guard lock(mutex_);
    streams_.emplace_back();
    cut_ = cut;
    current_ = next_++;
    return current_;
}

Result<void> ContentWriter::write(View data) {
    HF_ASSERT(current_ != 0);
    while (!data.empty()) {
        const View part = data.first(std::min(data.size(), write_part_bytes));
        data = data.subspan(part.size());
        if (batch_.data.capacity() < batch_bytes) batch_.data.reserve(batch_bytes + 1_MiB);
        batch_.data.insert(batch_.data.end(), part.begin(), part.end());
        if (batch_.data.size() - uncut_ >= chunker_.sizes().bytes_max) HF_TRY(cut(false));
    }
    return {};
}

Result<void> ContentWriter::hole(std::uint64_t length) {
    HF_ASSERT(current_ != 0);
    HF_TRY(cut(true));
    const std::lock_guard lock(mutex_);
    Extent extent;
    extent.length = length;
    if (length != 0) stream(current_).extents.push_back(extent);
    return {};
}

Result<void> ContentWriter::known(const Extents& extents) {
    HF_ASSERT(current_ != 0);
    HF_TRY(cut(true));
    const std::lock_guard lock(mutex_);
    Extents& to = stream(current_).extents;
    to.insert(to.end(), extents.begin(), extents.end());
    return {};
}

Result<void> ContentWriter::end() {
    HF_ASSERT(current_ != 0);
    bool small = false;
    {
        const std::lock_guard lock(mutex_);
        small = stream(current_).extents.empty() && batch_.data.size() - uncut_ < group_below;
    }
    if (small) {
        move_to_group();
    } else {
        HF_TRY(cut(true));
    }
    {
        const std::lock_guard lock(mutex_);
        stream(current_).ended = true;
        current_ = 0;
    }
    if (group_.data.size() >= batch_bytes) {
        close_group_piece();
        HF_TRY(submit(group_));
    }
    return {};
}

void ContentWriter::drop() {
    const std::lock_guard lock(mutex_);
    stream(next_ - 1).dropped = true;
    stream(next_ - 1).ended = true;
    if (current_ != 0) batch_.data.resize(uncut_);
    current_ = 0;
    forget_taken();
}

/// Cuts what is buffered; `final`: all of it. Submits the batch when it is full.
Result<void> ContentWriter::cut(bool final) {
    for (;;) {
        const View rest = View(batch_.data).subspan(uncut_);
        std::size_t size = 0;
        if (cut_ == Cut::ByContent) {
            size = chunker_.next_cut(rest, final);
        } else if (final || rest.size() >= fixed_piece_bytes) {
            size = std::min(rest.size(), fixed_piece_bytes);
        }
        if (size == 0) break;
        add_piece(size);
    }
    if (batch_.data.size() < batch_bytes) return {};
    Buffer tail(batch_.data.begin() + static_cast<std::ptrdiff_t>(uncut_), batch_.data.end());
    batch_.data.resize(uncut_);
    HF_TRY(submit(batch_));
    batch_.data.reserve(batch_bytes + 1_MiB);
    batch_.data.insert(batch_.data.end(), tail.begin(), tail.end());
    uncut_ = 0;
    return {};
}

void ContentWriter::add_piece(std::size_t size) {
    const std::lock_guard lock(mutex_);
    Stream& to = stream(current_);
    batch_.pieces.push_back({uncut_, size, {{current_, to.extents.size()}}});
    Extent extent;
    extent.length = size;
    extent.whole = true;
    to.extents.push_back(extent);
    ++to.pending;
    uncut_ += size;
}

void ContentWriter::move_to_group() {
    const View small = View(batch_.data).subspan(uncut_);
    if (!small.empty()) {
        const std::lock_guard lock(mutex_);
        Extent extent;
        extent.length = small.size();
        extent.skip = static_cast<std::uint32_t>(group_.data.size() - group_start_);
        stream(current_).extents.push_back(extent);
        ++stream(current_).pending;
        group_uses_.push_back({current_, 0});
        group_.data.insert(group_.data.end(), small.begin(), small.end());
    }
    batch_.data.resize(uncut_);
    if (group_.data.size() - group_start_ >= group_bytes) close_group_piece();
}

void ContentWriter::close_group_piece() {
    const std::size_t size = group_.data.size() - group_start_;
    if (size == 0) return;
    if (group_uses_.size() == 1) {
        const std::lock_guard lock(mutex_);
        stream(group_uses_[0].handle).extents[0].whole = true;
    }
    group_.pieces.push_back({group_start_, size, std::exchange(group_uses_, {})});
    group_start_ = group_.data.size();
}

Result<void> ContentWriter::submit(Batch& batch) {
    HF_TRY(worker_error());
    if (&batch == &group_) group_start_ = 0;
    if (batch.pieces.empty()) return {};
    auto moved = std::make_shared<Batch>(std::exchange(batch, {}));  // std::function copies.
    pool_->submit([this, moved](unsigned worker) { work(*moved, worker); });
    return {};
}

void ContentWriter::work(Batch& batch, unsigned worker) {
    for (const Piece& piece : batch.pieces) {
        const View content = View(batch.data).subspan(piece.offset, piece.size);
        auto id = storers_[worker].store(Kind::Data, content);
        const std::lock_guard lock(mutex_);
        if (!id) {
            if (!error_) error_ = id.error();
            return;
        }
        for (const Use& use : piece.uses) {
            if (use.handle < first_) continue;  // Dropped, and forgotten since.
            Stream& to = stream(use.handle);
            to.extents[use.extent].chunk = *id;
            --to.pending;
        }
    }
}

std::optional<Extents> ContentWriter::take(Handle handle) {
    const std::lock_guard lock(mutex_);
    HF_ASSERT(handle >= first_ && handle < next_);
    Stream& from = stream(handle);
    HF_ASSERT(from.ended && !from.dropped);
    if (from.pending != 0) return std::nullopt;
    from.dropped = true;
    Extents extents = std::move(from.extents);
    from.extents.clear();
    forget_taken();
    return extents;
}

void ContentWriter::forget_taken() {
    while (!streams_.empty() && streams_.front().dropped && streams_.front().pending == 0) {
        streams_.pop_front();
        ++first_;
    }
}

Result<void> ContentWriter::flush() {
    HF_ASSERT(current_ == 0);
    close_group_piece();
    HF_TRY(submit(group_));
    HF_TRY(submit(batch_));
    uncut_ = 0;
    pool_->drain();
    return worker_error();
}

std::vector<SegmentWriter> ContentWriter::take_segments() {
    std::vector<SegmentWriter> out;
    for (ChunkStorer& storer : storers_) {
        for (SegmentWriter& segment : storer.take_segments()) out.push_back(std::move(segment));
    }
    return out;
}

std::uint64_t ContentWriter::new_bytes() const {
    std::uint64_t sum = 0;
    for (const ChunkStorer& storer : storers_) sum += storer.new_bytes();
    return sum;
}

Result<void> ContentWriter::worker_error() {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    return {};
}

}  // namespace holdfast::vault
