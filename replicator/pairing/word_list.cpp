#include "replicator/pairing/words.h"

namespace holdfast::replicator {

const std::array<std::string_view, 256> pairing_word_list{
    "acorn",   "actor",   "album",   "amber",    "anchor",   "angel",    "apple",    "apron",
    "arena",   "armour",  "arrow",   "artist",   "atlas",    "autumn",   "badge",    "baker",
    "banjo",   "barley",  "barrel",  "basket",   "beacon",   "beaver",   "bench",    "berry",
    "bishop",  "blanket", "blossom", "bottle",   "boulder",  "bracket",  "brandy",   "bread",
    "bridge",  "bronze",  "bucket",  "buffalo",  "button",   "cabin",    "cactus",   "camel",
    "candle",  "canvas",  "captain", "carpet",   "castle",   "cedar",    "cellar",   "chapel",
    "cheese",  "cherry",  "chimney", "circle",   "clover",   "cobalt",   "coffee",   "comet",
    "copper",  "coral",   "cotton",  "cradle",   "cricket",  "crystal",  "curtain",  "daisy",
    "dance",   "desert",  "diamond", "dinner",   "doctor",   "dolphin",  "donkey",   "dragon",
    "drum",    "eagle",   "easel",   "echo",     "elbow",    "elephant", "ember",    "engine",
    "evening", "falcon",  "farmer",  "feather",  "fiddle",   "finger",   "flannel",  "flint",
    "flute",   "forest",  "fossil",  "fountain", "fox",      "galaxy",   "garden",   "garlic",
    "ginger",  "giraffe", "glacier", "glove",    "goblet",   "granite",  "grape",    "guitar",
    "hammer",  "harbour", "harvest", "hawk",     "hazel",    "hedge",    "helmet",   "heron",
    "honey",   "horse",   "hotel",   "igloo",    "indigo",   "insect",   "island",   "ivory",
    "jacket",  "jaguar",  "jelly",   "jigsaw",   "jockey",   "jungle",   "kettle",   "kidney",
    "kitchen", "kite",    "koala",   "ladder",   "lagoon",   "lantern",  "lavender", "lemon",
    "leopard", "lilac",   "linen",   "lion",     "lobster",  "locket",   "lotus",    "lumber",
    "magnet",  "mango",   "maple",   "marble",   "market",   "meadow",   "melon",    "mermaid",
    "mirror",  "monkey",  "mosaic",  "mountain", "muffin",   "museum",   "mustard",  "napkin",
    "nectar",  "needle",  "nickel",  "night",    "oasis",    "ocean",    "olive",    "onion",
    "opera",   "orange",  "orbit",   "orchard",  "otter",    "oyster",   "paddle",   "palace",
    "panther", "parrot",  "peach",   "pebble",   "pelican",  "pepper",   "piano",    "pigeon",
    "pillow",  "pirate",  "planet",  "plum",     "pocket",   "pony",     "poppy",    "potato",
    "prairie", "pumpkin", "purple",  "puzzle",   "quarry",   "quilt",    "rabbit",   "radish",
    "rainbow", "raven",   "ribbon",  "river",    "robin",    "rocket",   "saddle",   "salmon",
    "sandal",  "satin",   "saturn",  "scarlet",  "school",   "shadow",   "shelter",  "silver",
    "sister",  "sparrow", "spider",  "spoon",    "squirrel", "statue",   "summer",   "sunset",
    "swallow", "tailor",  "teapot",  "temple",   "thunder",  "tiger",    "timber",   "tomato",
    "torch",   "tower",   "tractor", "trumpet",  "tulip",    "tunnel",   "turtle",   "umbrella",
    "valley",  "velvet",  "vinegar", "violin",   "volcano",  "wagon",    "walnut",   "walrus",
    "water",   "window",  "winter",  "wizard",   "wolf",     "yellow",   "zebra",    "zipper",
};

}  // namespace holdfast::replicator
