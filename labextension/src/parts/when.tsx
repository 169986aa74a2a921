import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { iso, when } from '../jobs/format';

/** A moment in few words; its title tells it whole. */
export function When(props: {
  moment: number;
  trans: TranslationBundle;
}): React.ReactElement {
  const whole = iso(props.moment);
  return (
    <time dateTime={whole} title={whole}>
      {when(props.moment, props.trans)}
    </time>
  );
}
