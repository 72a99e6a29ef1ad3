<?php
/**
 * Every plan.
 *
 * @var array{plans: list<array<string, mixed>>} $args
 * @package Turnout
 */

namespace Turnout;

get_header();
?>
<div class="page-head">
	<h1><?php esc_html_e( 'Plans', 'turnout' ); ?></h1>
	<p class="lead"><?php esc_html_e( 'Every plan has unlimited calls and texts. Prices are monthly and include VAT.', 'turnout' ); ?></p>
</div>
<div class="plan-grid">
	<?php
	foreach ( $args['plans'] as $plan ) {
		render( 'plan-card', array( 'plan' => $plan ) );
	}
	?>
</div>
<?php
get_footer();
