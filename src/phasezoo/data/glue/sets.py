"""The files of GLUE with their published checksums, and which columns are read."""

from __future__ import annotations

from dataclasses import dataclass

from phasezoo.data.vision.files import File

# Checksums and sizes: those that Hugging Face's `datasets` recorded for these addresses.
_FACEBOOK = ("https://dl.fbaipublicfiles.com/glue/data/",)
_SENTEVAL = ("https://dl.fbaipublicfiles.com/senteval/senteval_data/",)


@dataclass(frozen=True)
class TextSet:
    """What is known of a set beside its numbers.

    Attributes:
        files: that it is made from.
        folder: within the zip.
        texts: the columns of one text, or of a pair: names of the header, or places where there
            is none.
        label: the column of the label.
        test: the file of the set for development.
    """

    title: str
    references: str
    files: tuple[File, ...]
    folder: str
    texts: tuple[str, ...] | tuple[int, ...]
    label: str | int = "label"
    test: str = "dev.tsv"


_MNLI = File(
    "MNLI.zip",
    312_783_507,
    "e7c1d896d26ed6caf700110645df426cc2d8ebf02a5ab743d5a5c68ac1c83633",
    _FACEBOOK,
)
_PAIR = ("sentence1", "sentence2")

SETS: dict[str, TextSet] = {
    "cola": TextSet(
        title="CoLA, the Corpus of Linguistic Acceptability",
        references="Warstadt, Singh and Bowman 2019, doi:10.1162/tacl_a_00290",
        files=(File("CoLA.zip", 376_971,
                    "f212fcd832b8f7b435fb991f101abf89f96b933ab400603bf198960dfc32cbff",
                    _FACEBOOK),),
        folder="CoLA",
        texts=(3,),  # source, label, the authors' mark, sentence
        label=1,
    ),
    "sst2": TextSet(
        title="SST-2, the Stanford Sentiment Treebank",
        references="Socher et al. 2013, Recursive deep models for semantic compositionality",
        files=(File("SST-2.zip", 7_439_277,
                    "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
                    _FACEBOOK),),
        folder="SST-2",
        texts=("sentence",),
    ),
    "mrpc": TextSet(
        title="MRPC, the Microsoft Research Paraphrase Corpus",
        references="Dolan and Brockett 2005, Automatically constructing a corpus of sentential "
        "paraphrases",
        files=(
            File("msr_paraphrase_train.txt", 1_047_044,
                 "60a9b09084528f0673eedee2b69cb941920f0b8cd0eeccefc464a98768457f89", _SENTEVAL),
            File("mrpc_dev_ids.tsv", 6_222,
                 "971d7767d81b997fd9060ade0ec23c4fc31cbb226a55d1bd4a1bac474eb81dc7", _FACEBOOK),
        ),
        folder="",
        texts=("#1 String", "#2 String"),
        label="Quality",
    ),
    "qqp": TextSet(
        title="QQP, Quora question pairs",
        references="Iyer, Dandekar and Csernai 2017, First Quora dataset release: question pairs",
        files=(File("QQP-clean.zip", 41_696_084,
                    "40e7c862c04eb26ee04b67fd900e76c45c6ba8e6d8fab4f8f1f8072a1a3fbae0",
                    _FACEBOOK),),
        folder="QQP",
        texts=("question1", "question2"),
        label="is_duplicate",
    ),
    "mnli": TextSet(
        title="MultiNLI, tested on the genres of its training set",
        references="Williams, Nangia and Bowman 2018, doi:10.18653/v1/N18-1101",
        files=(_MNLI,),
        folder="MNLI",
        texts=_PAIR,
        label="gold_label",
        test="dev_matched.tsv",
    ),
    "mnli-mismatched": TextSet(
        title="MultiNLI, tested on other genres",
        references="Williams, Nangia and Bowman 2018, doi:10.18653/v1/N18-1101",
        files=(_MNLI,),
        folder="MNLI",
        texts=_PAIR,
        label="gold_label",
        test="dev_mismatched.tsv",
    ),
    "qnli": TextSet(
        title="QNLI, of the Stanford Question Answering Dataset",
        references="Rajpurkar et al. 2016, doi:10.18653/v1/D16-1264; Wang et al. 2019, "
        "arXiv:1804.07461",
        files=(File("QNLIv2.zip", 10_627_589,
                    "e634e78627a29adaecd4f955359b22bf5e70f2cbd93b493f2d624138a0c0e5f5",
                    _FACEBOOK),),
        folder="QNLI",
        texts=("question", "sentence"),
    ),
    "rte": TextSet(
        title="RTE, Recognizing Textual Entailment 1, 2, 3 and 5",
        references="Dagan et al. 2006; Bar Haim et al. 2006; Giampiccolo et al. 2007; Bentivogli "
        "et al. 2009",
        files=(File("RTE.zip", 697_150,
                    "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee",
                    _FACEBOOK),),
        folder="RTE",
        texts=_PAIR,
    ),
    "wnli": TextSet(
        title="WNLI, of the Winograd Schema Challenge",
        references="Levesque, Davis and Morgenstern 2012, The Winograd schema challenge",
        files=(File("WNLI.zip", 28_999,
                    "ae0e8e4d16f4d46d4a0a566ec7ecceccfd3fbfaa4a7a4b4e02848c0f2561ac46",
                    _FACEBOOK),),
        folder="WNLI",
        texts=_PAIR,
    ),
}  # fmt: skip
