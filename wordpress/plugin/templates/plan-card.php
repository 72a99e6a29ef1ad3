<?php
/**
 * One plan in a list.
 *
 * @var array{plan: array<string, mixed>, heading?: int} $args
 * @package Turnout
 */

namespace Turnout;

$plan    = $args['plan'];
$heading = 'h' . (int) ( $args['heading'] ?? 2 );
?>
<article class="plan-card<?php echo $plan['popular'] ? ' plan-card--popular' : ''; ?>">
	<?php if ( $plan['popular'] ) : ?>
		<p class="plan-card__flag"><?php esc_html_e( 'Most chosen', 'turnout' ); ?></p>
	<?php endif; ?>
	<<?php echo $heading; ?> class="plan-card__name"><?php echo esc_html( $plan['name'] ); ?></<?php echo $heading; ?>>
	<p class="plan-card__tagline"><?php echo esc_html( $plan['tagline'] ); ?></p>
	<p class="price"><span class="price__amount"><?php echo esc_html( price( $plan['price'] ) ); ?></span> <span class="price__per"><?php esc_html_e( 'a month', 'turnout' ); ?></span></p>
	<dl class="facts">
		<div><dt><?php esc_html_e( 'Data', 'turnout' ); ?></dt><dd><?php echo esc_html( data_allowance( $plan['data'] ?? null ) ); ?></dd></div>
		<div><dt><?php esc_html_e( 'Abroad', 'turnout' ); ?></dt><dd><?php echo esc_html( $plan['roaming'] ); ?> GB</dd></div>
		<div><dt><?php esc_html_e( 'Speed', 'turnout' ); ?></dt><dd><?php echo esc_html( speed( $plan['speed'] ) ); ?></dd></div>
	</dl>
	<a class="button button--quiet" href="<?php echo esc_url( link_path( '/plans/' . $plan['id'] ) ); ?>">
		<?php
		/* translators: %s: name of a plan. */
		echo esc_html( sprintf( __( '%s details', 'turnout' ), $plan['name'] ) );
		?>
	</a>
</article>
