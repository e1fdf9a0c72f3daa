/**
 * The form of a compiled pattern: instructions of three u32 words, classes as pairs of u32 behind them. A program is relocated
 * nowhere: operands are numbers of instructions, and places of classes counted back from the end of the program.
 */

/** first: the code point. */
export const OP_RUNE: u32 = 0;
/** first: bytes from the class to the end of the program; second: number of its ranges. */
export const OP_CLASS: u32 = 1;
/** first, second: instructions to go on with, the preferred one first. */
export const OP_SPLIT: u32 = 2;
/** first: the instruction to go on with. */
export const OP_JUMP: u32 = 3;
/** first: number of the slot that takes the position. */
export const OP_SAVE: u32 = 4;
/** first: the assertion. */
export const OP_ASSERT: u32 = 5;
export const OP_MATCH: u32 = 6;

/** One bit each: a place in the text fulfils a set of them. */
export const ASSERT_BEGIN_LINE: u32 = 1;
export const ASSERT_END_LINE: u32 = 2;
export const ASSERT_BEGIN_TEXT: u32 = 4;
export const ASSERT_END_TEXT: u32 = 8;
export const ASSERT_WORD_BOUNDARY: u32 = 16;
export const ASSERT_NO_WORD_BOUNDARY: u32 = 32;

export const INSTRUCTION_SIZE: usize = 12;
export const OPERAND_FIRST: usize = 4;
export const OPERAND_SECOND: usize = 8;

/** Groups whose places are kept; the functions of CEL name no more. */
export const MAX_GROUPS: u32 = 9;
/** Slots of a match: start and end of the whole and of the groups. */
export const MAX_SLOTS: u32 = 2 * (MAX_GROUPS + 1);
/** Most instructions of a program. */
export const MAX_INSTRUCTIONS: u32 = 21_000;
