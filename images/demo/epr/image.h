// Image: one CT slice of the data set, as a DICOM file (PS3.10, explicit VR little endian).
//
// 512 x 512 pixels of 16 bits, 12 of them used. The content is a chest drawn of ellipses, which
// move slowly from slice to slice of a series, a slow shading, and noise on every pixel as a
// sensor gives: it compresses to about half, as real CT does.
#pragma once

#include "images/demo/epr/dataset.h"
#include "vault/base/bytes.h"

#include <string>

namespace holdfast::demo {

struct Image {
    std::uint64_t patient;
    std::uint64_t encounter;
    std::string study_uid;
    std::string instance_uid;
    std::string taken_on;
    std::uint64_t series;  // From 1.
    std::uint64_t slice;   // From 1 to slices_max.
    std::string path;      // Below the documents folder.
};

constexpr std::uint64_t image_rows = 512;
constexpr std::uint64_t image_columns = 512;

/// Images are loaded only; `id` goes from 1 to data.images().
Image image(const Dataset& data, std::uint64_t id);

/// The file's content.
Buffer image_file(const Dataset& data, std::uint64_t id, const Image& image);

}  // namespace holdfast::demo
