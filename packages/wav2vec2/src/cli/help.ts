import { Help, type HelpConfiguration } from "commander";

/** Columns up to which terms have their descriptions beside them. */
const TERM_WIDTH = 28;
const INDENT = 2;
const HANGING = 8;

/** Help that fits a terminal: the description of a long term, such as a recipe's key, stands below it. */
export const helpConfiguration: HelpConfiguration = {
  formatItem(term, termWidth, description, helper) {
    if (helper.displayWidth(term) <= TERM_WIDTH)
      return Help.prototype.formatItem.call(
        helper,
        term,
        Math.min(termWidth, TERM_WIDTH),
        description,
        helper,
      );
    const width = (helper.helpWidth ?? 80) - HANGING;
    const lines = description ? helper.boxWrap(description, width).split("\n") : [];
    return [`${" ".repeat(INDENT)}${term}`, ...lines.map((line) => `${" ".repeat(HANGING)}${line}`)].join(
      "\n",
    );
  },
  // That a switch is off, and on where it stands alone, goes without saying.
  optionDescription(option) {
    return Help.prototype.optionDescription
      .call(this, option)
      .replace(/ ?\((?:preset: "true"|default: (?:false|\[\]))\)$/, "");
  },
};
