// A choice among roles, each with what it may do.
import { Select } from "@mantine/core";
import type { Role } from "../../api/may";
import { roleMeanings, roleWords } from "./roles";
import classes from "./people.module.css";

interface RoleSelectProps {
  label: string;
  /** The label is for screen readers only. */
  labelHidden?: boolean;
  offered: readonly Role[];
  value: Role;
  choose: (role: Role) => void;
  disabled?: boolean;
  description?: string;
  error?: string;
}

export function RoleSelect({ label, labelHidden, offered, value, choose, ...rest }: RoleSelectProps) {
  return (
    <Select<Role>
      {...(labelHidden ? { "aria-label": label, className: classes.role } : { label })}
      data={offered.map((r) => ({ value: r, label: roleWords[r] }))}
      value={value}
      onChange={(r) => r !== null && choose(r)}
      allowDeselect={false}
      comboboxProps={{ width: 300, position: "bottom-start" }}
      renderOption={({ option }) => (
        <div className={classes.option}>
          <span className={classes.name}>{option.label}</span>
          <span className={classes.below}>{roleMeanings[option.value as Role]}</span>
        </div>
      )}
      {...rest}
    />
  );
}
