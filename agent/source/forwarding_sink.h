// ForwardingSink: hands everything on; a source that looks at entries on their way overrides what
// it looks at.
#pragma once

#include "agent/source/sink.h"

#include <utility>

namespace holdfast::agent {

class ForwardingSink : public Sink {
public:
    /// `to` outlives it.
    explicit ForwardingSink(Sink& to) : to_(&to) {}

    Result<ContentHandle> begin_content(Shape shape) override { return to_->begin_content(shape); }
    Result<void> write(View data) override { return to_->write(data); }
    Result<void> hole(std::uint64_t length) override { return to_->hole(length); }
    Result<std::uint64_t> same_range(const std::string& path, std::uint64_t offset,
                                     std::uint64_t length) override {
        return to_->same_range(path, offset, length);
    }
    Result<void> end_content() override { return to_->end_content(); }
    void drop_content() override { to_->drop_content(); }
    Result<void> add(vault::Entry entry, ContentHandle content) override {
        return to_->add(std::move(entry), content);
    }
    Result<bool> add_unchanged(const vault::Entry& entry) override {
        return to_->add_unchanged(entry);
    }
    void warn(Warning warning) override { to_->warn(std::move(warning)); }

private:
    Sink* to_;
};

}  // namespace holdfast::agent
