"""The judgement: a ledger of the journal, the invariants, and the targets of each stage. No product code."""
