import { keep, noGrad, type Tensor } from "@wav2vec2/libtorch";
import { ALONE, type World } from "../../src/distributed/world.js";

interface Meeting {
  operation: string;
  values: unknown[];
  come: number;
  all: Promise<void>;
  open: () => void;
}

/** Worlds of several processes that are one: tensors go through memory. Functions that are not here are those of one process. */
export function worldsOf(size: number): (World & { sent: number })[] {
  const meetings: Meeting[] = [];
  return Array.from({ length: size }, (_, rank) => {
    let calls = 0;
    /** @returns what all ranks give at this call, by rank */
    const meet = async <T>(operation: string, value: T): Promise<T[]> => {
      const call = calls++;
      meetings[call] ??= meetingFor(operation, size);
      const meeting = meetings[call];
      if (meeting.operation !== operation)
        throw new Error(`Call ${call} of rank ${rank} must be ${meeting.operation}, but is ${operation}.`);
      meeting.values[rank] = value;
      if (++meeting.come === size) meeting.open();
      await meeting.all;
      return meeting.values as T[];
    };
    const copyOf = (values: Tensor) => noGrad(() => keep(values.detach().clone()));
    const take = (values: Tensor, from: Tensor) => noGrad(() => void values.detach().copy_(from));
    const world: World & { sent: number } = {
      ...ALONE,
      ...{ rank, size, sent: 0 },
      async gather(value) {
        return JSON.parse(JSON.stringify(await meet("gather", value)));
      },
      async broadcast(values, root) {
        if (rank === root) world.sent += values.numel;
        const all = await meet(`broadcast of ${root}`, copyOf(values));
        if (rank !== root) take(values, all[root]!);
      },
      async share(values) {
        const [first] = await meet(`share of ${values.length}`, values.map(copyOf));
        for (const [place, each] of values.entries()) if (rank > 0) take(each, first![place]!);
      },
    };
    return world;
  });
}

function meetingFor(operation: string, size: number): Meeting {
  let open = () => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { operation, values: new Array(size), come: 0, all, open };
}
